/** @file Operations that reduce or normalise along axes. */
import { axisOf, reducedShape } from '../shapes.ts';
import type { Value } from '../types.ts';

type Reduction = 'ReduceSum' | 'ReduceMean' | 'ReduceMax';

function reduce(operation: Reduction, x: Value, axes: readonly number[], keepdims: boolean): Value {
  const at = axes.map((axis) => axisOf(axis, x.shape.length));
  const type = { dtype: x.dtype, shape: reducedShape(x.shape, at, keepdims) };
  return x.graph.emit(operation, [x, x.graph.integers(at)], { keepdims: keepdims ? 1 : 0 }, [type])[0] as Value;
}

export const reduceSum = (x: Value, axes: readonly number[], keepdims = true) => reduce('ReduceSum', x, axes, keepdims);
export const reduceMean = (x: Value, axes: readonly number[], keepdims = true) => reduce('ReduceMean', x, axes, keepdims);
export const reduceMax = (x: Value, axes: readonly number[], keepdims = true) => reduce('ReduceMax', x, axes, keepdims);

/** Sum of all elements, a scalar. */
export const sumAll = (x: Value) =>
  reduceSum(
    x,
    x.shape.map((_, axis) => axis),
    false,
  );

/** Over the last axis. */
export const softmax = (x: Value) => x.graph.emit('Softmax', [x], { axis: -1 }, [x])[0] as Value;
export const logSoftmax = (x: Value) => x.graph.emit('LogSoftmax', [x], { axis: -1 }, [x])[0] as Value;
