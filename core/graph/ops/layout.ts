/** @file Operations that move elements without computing: reshape, transpose, concat, split, slice, expand, gather, scatter. */
import { axisOf, sameShape, stretch, withAxis } from '../shapes.ts';
import type { Dim, Shape, Value } from '../types.ts';

/** `shape` may hold symbols; at most one of them may stand elsewhere than in x. */
export function reshape(x: Value, shape: Shape): Value {
  const moved = shape.flatMap((dim, i) => (typeof dim === 'string' && dim !== x.shape[i] ? [dim] : []));
  if (moved.length > 1)
    throw new Error(`reshape [${x.shape}] to [${shape}]: only one of ${moved.join(', ')} can be inferred; keep the others at their axes or use reshapeTo`);
  const target = shape.map((dim, i) => (typeof dim === 'number' ? dim : dim === x.shape[i] ? 0 : -1));
  return reshapeTo(x, x.graph.integers(target), shape);
}

/** Reshape to an int64 value whose contents are `shape`. */
export function reshapeTo(x: Value, target: Value, shape: Shape): Value {
  return x.graph.emit('Reshape', [x, target], {}, [{ dtype: x.dtype, shape }])[0] as Value;
}

export function transpose(x: Value, perm: readonly number[]): Value {
  const shape = perm.map((axis) => x.shape[axis] as Dim);
  return x.graph.emit('Transpose', [x], { perm }, [{ dtype: x.dtype, shape }])[0] as Value;
}

/** `dim` names the joined size where a part is symbolic. */
export function concat(parts: readonly Value[], axis: number, dim?: Dim): Value {
  const first = parts[0];
  if (!first) throw new Error('concat: expected at least one part, got none');
  const at = axisOf(axis, first.shape.length);
  const dims = parts.map((part) => part.shape[at] as Dim);
  const joined = dim ?? (dims.every((size) => typeof size === 'number') ? dims.reduce<number>((sum, size) => sum + Number(size), 0) : dims.join('+'));
  return first.graph.emit('Concat', parts, { axis: at }, [{ dtype: first.dtype, shape: withAxis(first.shape, at, joined) }])[0] as Value;
}

export function split(x: Value, sizes: readonly number[], axis: number): Value[] {
  const at = axisOf(axis, x.shape.length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (x.shape[at] !== total) throw new Error(`split: expected sizes that add up to ${x.shape[at]}, got [${sizes}]`);
  const types = sizes.map((size) => ({ dtype: x.dtype, shape: withAxis(x.shape, at, size) }));
  return x.graph.emit('Split', [x, x.graph.integers(sizes)], { axis: at }, types);
}

/** `sizes` is an int64 value that adds up to the axis; `dims` names its contents. */
export function splitBy(x: Value, sizes: Value, axis: number, dims: readonly Dim[]): Value[] {
  const at = axisOf(axis, x.shape.length);
  const types = dims.map((dim) => ({ dtype: x.dtype, shape: withAxis(x.shape, at, dim) }));
  return x.graph.emit('Split', [x, sizes], { axis: at }, types);
}

/** Beyond every axis; ONNX cuts a slice off at the size. */
const toTheEnd = Number.MAX_SAFE_INTEGER;

/** Elements start … end − 1 of one axis; an `end` that is a symbol is the size of that axis. */
export function slice(x: Value, axis: number, start: number, end: Dim): Value {
  const at = axisOf(axis, x.shape.length);
  const { graph } = x;
  if (typeof end === 'string' && end !== x.shape[at]) throw new Error(`slice of [${x.shape}]: expected axis ${at} to end at ${x.shape[at]}, got ${end}`);
  const bounds = [graph.integers([start]), graph.integers([typeof end === 'number' ? end : toTheEnd]), graph.integers([at])];
  return graph.emit('Slice', [x, ...bounds], {}, [{ dtype: x.dtype, shape: withAxis(x.shape, at, stretch(start, end)) }])[0] as Value;
}

/** Slice with int64 [1] values as bounds; `dim` names the size of the result. */
export function sliceBetween(x: Value, axis: number, start: Value, end: Value, dim: Dim): Value {
  const at = axisOf(axis, x.shape.length);
  const inputs = [x, start, end, x.graph.integers([at])];
  return x.graph.emit('Slice', inputs, {}, [{ dtype: x.dtype, shape: withAxis(x.shape, at, dim) }])[0] as Value;
}

export function expand(x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  return expandTo(x, x.graph.integers(shape), shape);
}

/** x stretched to the shape of another value. */
export function expandLike(x: Value, like: Value): Value {
  if (sameShape(x.shape, like.shape)) return x;
  const sizes = like.shape.flatMap((dim) => (typeof dim === 'number' ? [dim] : []));
  return sizes.length === like.shape.length ? expand(x, sizes) : expandTo(x, shape(like), like.shape);
}

/** Expand to an int64 value whose contents are `shape`. */
function expandTo(x: Value, target: Value, shape: Shape): Value {
  return x.graph.emit('Expand', [x, target], {}, [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Sizes start … end − 1 of x as int64. */
export function shape(x: Value, start = 0, end = x.shape.length): Value {
  return x.graph.emit('Shape', [x], { start, end }, [{ dtype: 'int64', shape: [end - start] }])[0] as Value;
}

/** Whole slices of x along an axis, for example rows of an embedding; negative indices count from the end. */
export function gather(x: Value, indices: Value, axis = 0): Value {
  const at = axisOf(axis, x.shape.length);
  const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
  return x.graph.emit('Gather', [x, indices], { axis: at }, [{ dtype: x.dtype, shape }])[0] as Value;
}

export function gatherElements(x: Value, indices: Value, axis: number): Value {
  const at = axisOf(axis, x.shape.length);
  return x.graph.emit('GatherElements', [x, indices], { axis: at }, [{ dtype: x.dtype, shape: indices.shape }])[0] as Value;
}

/** Slices of x at places: the last axis of `indices` (int64) holds a place's index in each of x's first axes. */
export function gatherND(x: Value, indices: Value): Value {
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(indices.shape.at(-1) as number)];
  return x.graph.emit('GatherND', [x, indices], {}, [{ dtype: x.dtype, shape }])[0] as Value;
}

/** `reduction: 'add'` along axis 0 or last is deterministic on CPU, unlike ScatterND's (microsoft/onnxruntime #18048). */
export function scatterElements(x: Value, indices: Value, updates: Value, axis: number, reduction: 'none' | 'add'): Value {
  const at = axisOf(axis, x.shape.length);
  return x.graph.emit('ScatterElements', [x, indices, updates], { axis: at, reduction }, [x])[0] as Value;
}

/** The contents of an int64 initializer made by `graph.integers`: axes, bounds, sizes. */
export function integersOf(value: Value): number[] {
  const initializer = value.graph.initializers.find((entry) => entry.value === value);
  const data = initializer?.data;
  if (!(data instanceof BigInt64Array)) throw new Error(`integersOf(${value.name}): expected an int64 initializer, got a ${value.dtype} ${value.origin}`);
  return Array.from(data, Number);
}
