/** @file Aggregation as weights of single tokens, so that a loss summed over micro-batches is the loss of the whole batch. */
import type { Aggregation } from '../run/config.ts';

/** One weight per token and row; rows without sampled tokens count nowhere. `sampledMasks` are those of one optimiser step. */
export function tokenWeights(sampledMasks: readonly ArrayLike<number>[], aggregation: Aggregation): Float32Array[] {
  const counts = sampledMasks.map((mask) => Array.from(mask).reduce((sum, sampled) => sum + sampled, 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const rows = counts.filter((count) => count > 0).length;
  return sampledMasks.map((mask, row) => {
    const weight = aggregation === 'tokenMean' ? 1 / total : 1 / (rows * (counts[row] as number));
    return Float32Array.from(mask, (sampled) => (sampled ? weight : 0));
  });
}
