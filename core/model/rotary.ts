/** @file Cosine and sine tables of the rotary position embedding (RoFormer, arXiv 2104.09864), plain or stretched for longer contexts. */
import type { ModelConfig, RopeScaling } from './config.ts';

/** One angular frequency per pair of elements, headDim / 2 of them. */
function rotaryFrequencies({ headDim, ropeTheta, ropeScaling }: ModelConfig): number[] {
  const plain = Array.from({ length: headDim / 2 }, (_, i) => ropeTheta ** ((-2 * i) / headDim));
  switch (ropeScaling?.type) {
    case undefined:
      return plain;
    case 'linear':
      return plain.map((frequency) => frequency / ropeScaling.factor);
    case 'llama3':
      return plain.map((frequency) => stretched(frequency, ropeScaling));
    case 'yarn':
      return yarn(plain, headDim, ropeTheta, ropeScaling);
  }
}

/** Long wavelengths are slowed by `factor`, short ones kept, those between blended. */
function stretched(frequency: number, { factor, lowFreqFactor, highFreqFactor, originalMaxPositions }: ScalingOf<'llama3'>): number {
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  if (turns < lowFreqFactor) return frequency / factor;
  if (turns > highFreqFactor) return frequency;
  const kept = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}

/** Dimensions that turn more than betaFast times over the original context are kept, those below betaSlow slowed, those between blended linearly. */
function yarn(plain: readonly number[], headDim: number, theta: number, scaling: ScalingOf<'yarn'>): number[] {
  const { factor, betaFast, betaSlow, wholeDimensions, originalMaxPositions } = scaling;
  const dimensionOf = (turns: number) => (headDim * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [dimensionOf(betaFast), dimensionOf(betaSlow)];
  const low = Math.max(wholeDimensions ? Math.floor(first) : first, 0);
  const high = Math.min(wholeDimensions ? Math.ceil(last) : last, headDim - 1);
  const width = low === high ? 0.001 : high - low;
  return plain.map((frequency, i) => {
    const slowed = Math.min(1, Math.max(0, (i - low) / width));
    return slowed * (frequency / factor) + (1 - slowed) * frequency;
  });
}

type ScalingOf<T extends RopeScaling['type']> = Extract<RopeScaling, { type: T }>;

/** Tables for positions 0 … count − 1, each [count, headDim / 2]. */
export function rotaryTables(config: ModelConfig, count: number): { cosine: Float32Array; sine: Float32Array } {
  const frequencies = rotaryFrequencies(config);
  const size = config.ropeScaling?.type === 'yarn' ? config.ropeScaling.attentionFactor : 1;
  const [cosine, sine] = [new Float32Array(count * frequencies.length), new Float32Array(count * frequencies.length)];
  for (let position = 0; position < count; position++) {
    frequencies.forEach((frequency, i) => {
      cosine[position * frequencies.length + i] = size * Math.cos(position * frequency);
      sine[position * frequencies.length + i] = size * Math.sin(position * frequency);
    });
  }
  return { cosine, sine };
}
