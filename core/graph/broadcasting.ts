/** @file Undoing a broadcast: the one place where gradients are summed back to the shape of the operand. */
import { reduceSum, reshape } from './ops.ts';
import { sameShape } from './shapes.ts';
import type { Shape, Value } from './types.ts';

export function unbroadcast(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((dim, axis) => (axis < lead || (shape[axis - lead] === 1 && dim !== 1) ? [axis] : []));
  const summed = axes.length > 0 ? reduceSum(gradient, axes) : gradient;
  return sameShape(summed.shape, shape) ? summed : reshape(summed, shape);
}
