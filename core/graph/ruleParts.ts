/** @file Pieces that several gradient rules share. */
import { unbroadcast } from './broadcasting.ts';
import * as op from './ops.ts';
import { knownDim } from './shapes.ts';
import type { Shape, Value } from './types.ts';

/** The attributes of K, whichever of the two tables it is in. */
export type Attributes<K, A, B> = K extends keyof A ? A[K] : K extends keyof B ? B[K] : never;

export function zerosLike(x: Value, shape: Shape = x.shape): Value {
  return op.expand(
    x.graph.constant(0, x.dtype),
    shape.map((dim) => knownDim(dim, shape)),
  );
}

export function inverseOf(perm: readonly number[]): number[] {
  const inverse: number[] = [];
  perm.forEach((from, to) => {
    inverse[from] = to;
  });
  return inverse;
}

/** Gradient of x / rms(x) · weight. The reciprocal root is computed again: the kernel's second output is not to be trusted. */
export function normalised(dy: Value, x: Value, weight: Value, epsilon: number, needs: readonly boolean[]): (Value | null)[] {
  const inverse = op.reciprocal(op.sqrt(op.add(op.reduceMean(op.mul(x, x), [-1]), epsilon)));
  const unit = op.mul(x, inverse);
  const wrtX = () => {
    const scaled = op.mul(dy, weight);
    const along = op.reduceMean(op.mul(scaled, unit), [-1]);
    return op.mul(inverse, op.sub(scaled, op.mul(unit, along)));
  };
  return [needs[0] ? wrtX() : null, needs[1] ? unbroadcast(op.mul(dy, unit), weight.shape) : null];
}
