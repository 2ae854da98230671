/** @file A dense float64 tensor and the index arithmetic of the reference kernels. */

export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function dense(shape: readonly number[], data: Float64Array): Dense {
  return { shape, data };
}

function sizeOfDense(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** Row-major position of an index; axes of size 1 stretch, and leading axes that x lacks are ignored. */
export function positionOf(shape: readonly number[], index: readonly number[]): number {
  const lead = index.length - shape.length;
  let position = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    const dim = shape[axis] as number;
    position = position * dim + (dim === 1 ? 0 : (index[lead + axis] as number));
  }
  return position;
}

export function at(x: Dense, index: readonly number[]): number {
  return x.data[positionOf(x.shape, index)] as number;
}

/** A tensor whose element at an index is `element(index)`, called in row-major order with the same array every time. */
export function filled(shape: readonly number[], element: (index: readonly number[]) => number): Dense {
  const data = new Float64Array(sizeOfDense(shape));
  const index = shape.map(() => 0);
  for (let position = 0; position < data.length; position++) {
    data[position] = element(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return dense(shape, data);
}

export function replaced(index: readonly number[], axis: number, value: number): number[] {
  return index.map((old, i) => (i === axis ? value : old));
}
