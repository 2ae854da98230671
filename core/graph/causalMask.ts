/** @file The causal mask: added to the scores, zero for keys up to the query's own position and far below any score for later ones. */
import * as op from './ops.ts';
import type { Dim, Value } from './types.ts';

const masked = -1e9;

/** [group · rows, end] for queries start … end − 1 of every head of a group, against keys 0 … end − 1; made once per graph. */
export function causalMask(scores: Value, positions: Value, group: number, start: number, end: Dim): Value {
  return scores.graph.shared(`causal mask ${positions.name} ${start} ${end} ${group}`, () => {
    const [queries, keys] = [op.slice(positions, 0, start, end), op.slice(positions, 0, 0, end)];
    const folded = group === 1 ? queries : op.concat(Array<Value>(group).fill(queries), 0, scores.shape.at(-2));
    const isLater = op.greater(op.reshape(keys, [1, end]), op.reshape(folded, [scores.shape.at(-2) as Dim, 1]));
    return op.where(isLater, scores.graph.constant(masked, scores.dtype), 0);
  });
}
