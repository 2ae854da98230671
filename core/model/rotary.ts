/** @file Cosine and sine tables of the rotary position embedding (RoFormer, arXiv 2104.09864), with Llama 3's stretching. */
import type { Graph } from '../graph/graph.ts';
import type { RopeTables } from '../graph/macroTypes.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig, RopeScaling } from './config.ts';

/** One angular frequency per pair of elements, headDim / 2 of them. */
export function rotaryFrequencies(config: ModelConfig): number[] {
  const plain = Array.from({ length: config.headDim / 2 }, (_, i) => config.ropeTheta ** ((-2 * i) / config.headDim));
  const scaling = config.ropeScaling;
  return scaling ? plain.map((frequency) => stretched(frequency, scaling)) : plain;
}

/** Long wavelengths are slowed by `factor`, short ones kept, those between blended. */
function stretched(frequency: number, { factor, lowFreqFactor, highFreqFactor, originalMaxPositions }: RopeScaling): number {
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  if (turns < lowFreqFactor) return frequency / factor;
  if (turns > highFreqFactor) return frequency;
  const kept = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/** Tables for positions 0 … count − 1, each [count, headDim / 2]. */
export function rotaryTables(config: ModelConfig, count: number): { cosine: Float32Array; sine: Float32Array } {
  const frequencies = rotaryFrequencies(config);
  const [cosine, sine] = [new Float32Array(count * frequencies.length), new Float32Array(count * frequencies.length)];
  for (let position = 0; position < count; position++) {
    frequencies.forEach((frequency, i) => {
      cosine[position * frequencies.length + i] = Math.cos(position * frequency);
      sine[position * frequencies.length + i] = Math.sin(position * frequency);
    });
  }
  return { cosine, sine };
}

/** The tables as initializers; `positions` defaults to rows that all begin at 0. */
export function ropeTables(graph: Graph, config: ModelConfig, count: number, positions?: Value): RopeTables {
  const { cosine, sine } = rotaryTables(config, count);
  const table = (name: string, data: Float32Array) =>
    graph.shared(`rotary ${name}`, () => graph.initializer(`rotary_${name}`, 'float32', [count, config.headDim / 2], data));
  return {
    cosine: table('cosine', cosine),
    sine: table('sine', sine),
    negativeSine: table(
      'negativeSine',
      sine.map((value) => -value),
    ),
    positions: positions ?? graph.integers([0]),
  };
}
