/** @file Cosine and sine tables of the rotary position embedding (RoFormer, arXiv 2104.09864), with Llama 3's stretching. */
import type { ModelConfig, RopeScaling } from './config.ts';

/** One angular frequency per pair of elements, headDim / 2 of them. */
function rotaryFrequencies(config: ModelConfig): number[] {
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
