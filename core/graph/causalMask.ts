/** @file The causal mask: added to the scores, zero on and below the diagonal and far below any score above it. */
import { add, reshape } from './ops.ts';
import { knownDim } from './shapes.ts';
import type { Value } from './types.ts';

const masked = -1e9;

/** scores [B, kv, g · rows, end] of queries start … end − 1 against keys 0 … end − 1. */
export function maskedScores(scores: Value, start: number, end: number): Value {
  const [batch, kv, folded] = scores.shape.map((dim) => knownDim(dim, scores.shape)) as [number, number, number];
  const rows = end - start;
  const byGroup = reshape(scores, [batch, kv, folded / rows, rows, end]);
  return reshape(add(byGroup, causalMask(scores, start, end)), scores.shape);
}

function causalMask({ graph, dtype }: Value, start: number, end: number): Value {
  return graph.shared(`causal mask ${start} ${end}`, () => {
    const rows = end - start;
    const mask = dtype === 'float64' ? new Float64Array(rows * end) : new Float32Array(rows * end);
    for (let row = 0; row < rows; row++) mask.fill(masked, row * end + start + row + 1, (row + 1) * end);
    return graph.initializer(`causalMask_${start}_${end}`, dtype, [rows, end], mask);
  });
}
