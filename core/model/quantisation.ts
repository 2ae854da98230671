/**
 * @file Weights of few bits: every block of 32 neighbours of a row has a scale, and codes around a middle. For policies that answer; what is trained
 * on is sampled with the weights that are trained.
 */
import type { QuantisedWeights } from '../rollout/types.ts';
import type { Tensor } from './config.ts';

export type WeightPrecision = 'float32' | QuantisedWeights;
export const weightPrecisions: readonly WeightPrecision[] = ['float32', 'int8', 'int4'];

export const bitsOf = { int8: 8, int4: 4 } as const satisfies Record<QuantisedWeights, number>;

/** Smaller blocks follow the weights more closely; 32 is the smallest that the kernels take together with 8 bits. */
export const quantisationBlock = 32;

export interface QuantisedMatrix {
  /** [out, blocks, bytes of a block]; of two codes in a byte the first is the low one. */
  readonly codes: Uint8Array;
  /** [out, blocks] */
  readonly scales: Float32Array;
  readonly blockCount: number;
}

/** A matrix [out, in]; the last block of a row is filled up with zeros. A code c means scale · (c − 2^(bits − 1)). */
export function quantised({ shape, data }: Tensor, bits: 8 | 4): QuantisedMatrix {
  const [rows, columns] = shape as [number, number];
  const blockCount = Math.ceil(columns / quantisationBlock);
  const middle = 2 ** (bits - 1);
  const perByte = 8 / bits;
  const codes = new Uint8Array((rows * blockCount * quantisationBlock) / perByte);
  const scales = new Float32Array(rows * blockCount);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blockCount; block++) {
      const start = block * quantisationBlock;
      const values = data.subarray(row * columns + start, row * columns + Math.min(start + quantisationBlock, columns));
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / (middle - 1);
      const at = row * blockCount + block;
      scales[at] = scale;
      for (let i = 0; i < quantisationBlock; i++) {
        const code = middle + (scale === 0 ? 0 : Math.round((values[i] ?? 0) / scale));
        const byte = Math.floor((at * quantisationBlock + i) / perByte);
        codes[byte] = (codes[byte] as number) | (code << (bits * (i % perByte)));
      }
    }
  }
  return { codes, scales, blockCount };
}
