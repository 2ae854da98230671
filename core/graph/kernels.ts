/** @file Reference kernels: each operation by its definition, in float64. */
import { at, type Dense, dense, filled, replaced } from './dense.ts';
import type { OperationName, Operations } from './operations.ts';

export type Kernel<K extends OperationName> = (inputs: readonly Dense[], attributes: Operations[K], shapes: readonly (readonly number[])[]) => readonly Dense[];

type In = readonly [Dense, Dense, Dense, Dense];
const given = (inputs: readonly Dense[]) => inputs as unknown as In;
const shapeOf = (shapes: readonly (readonly number[])[]) => shapes[0] as readonly number[];

const unary =
  (f: (x: number) => number) =>
  ([x]: readonly Dense[]): Dense[] => [dense((x as Dense).shape, (x as Dense).data.map(f))];

const binary =
  (f: (a: number, b: number) => number) =>
  (inputs: readonly Dense[], _: unknown, shapes: readonly (readonly number[])[]): Dense[] => {
    const [a, b] = given(inputs);
    return [filled(shapeOf(shapes), (index) => f(at(a, index), at(b, index)))];
  };

const truth = (f: (a: number, b: number) => boolean) => binary((a, b) => (f(a, b) ? 1 : 0));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Folds the reduced axes; the output keeps or drops them, which row-major order does not notice. */
function reduce(
  inputs: readonly Dense[],
  shape: readonly number[],
  start: number,
  fold: (sum: number, x: number) => number,
  finish = (sum: number, _: number) => sum,
): Dense[] {
  const [x, axes] = given(inputs);
  const kept = x.shape.map((dim, axis) => (axes.data.includes(axis) ? 1 : dim));
  const sums = filled(kept, () => start);
  const count = x.data.length / sums.data.length;
  x.data.forEach((value, position) => {
    const to = flatIndex(x.shape, kept, position);
    sums.data[to] = fold(sums.data[to] as number, value);
  });
  return [
    dense(
      shape,
      sums.data.map((sum) => finish(sum, count)),
    ),
  ];
}

/** Where element `position` of `shape` lands in `kept`, whose reduced axes have size 1. */
function flatIndex(shape: readonly number[], kept: readonly number[], position: number): number {
  let [rest, to, stride] = [position, 0, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dim = shape[axis] as number;
    if (kept[axis] !== 1) to += (rest % dim) * stride;
    rest = Math.floor(rest / dim);
    stride *= kept[axis] as number;
  }
  return to;
}

function matrixProduct(a: Dense, b: Dense, shape: readonly number[], transA: boolean, transB: boolean, alpha: number): Dense {
  const inner = a.shape[a.shape.length - (transA ? 2 : 1)] as number;
  return filled(shape, (index) => {
    const [left, right] = [[...index], [...index]];
    const [aInner, bInner] = [index.length - (transA ? 2 : 1), index.length - (transB ? 1 : 2)];
    left[index.length - (transA ? 1 : 2)] = index.at(-2) as number;
    right[index.length - (transB ? 2 : 1)] = index.at(-1) as number;
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      left[aInner] = k;
      right[bInner] = k;
      sum += at(a, left) * at(b, right);
    }
    return alpha * sum;
  });
}

/** Calls `f` with each row of the last axis. */
function byRow(x: Dense, f: (row: Float64Array) => Float64Array): Dense[] {
  const width = x.shape.at(-1) ?? 1;
  const result = new Float64Array(x.data.length);
  for (let start = 0; start < result.length; start += width) result.set(f(x.data.subarray(start, start + width)), start);
  return [dense(x.shape, result)];
}

function rootMeanSquareNorm(x: Dense, weight: Dense, epsilon: number): Dense[] {
  return byRow(x, (row) => {
    const rms = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length + epsilon);
    return row.map((value, i) => (value / rms) * (weight.data[i] as number));
  });
}

function logSoftmaxRow(row: Float64Array): Float64Array {
  const highest = Math.max(...row);
  const logSum = Math.log(row.reduce((sum, value) => sum + Math.exp(value - highest), 0)) + highest;
  return row.map((value) => value - logSum);
}

function scatter(inputs: readonly Dense[], { axis, reduction }: Operations['ScatterElements']): Dense[] {
  const [x, indices, updates] = given(inputs);
  const result = dense(x.shape, x.data.slice());
  filled(indices.shape, (index) => {
    const target = replaced(index, axis, at(indices, index));
    const position = target.reduce((sum, part, i) => sum * (x.shape[i] as number) + part, 0);
    result.data[position] = at(updates, index) + (reduction === 'add' ? (result.data[position] as number) : 0);
    return 0;
  });
  return [result];
}

/** Pairs (i, i + half) turn by the angle of the position. */
function rotate(inputs: readonly Dense[]): Dense[] {
  const [x, positions, cosine, sine] = given(inputs);
  const half = (x.shape[3] as number) / 2;
  return [
    filled(x.shape, (index) => {
      const [b, , t, i] = index as [number, number, number, number];
      const position = positions.shape.length === 1 ? (positions.data[0] as number) + t : at(positions, [b, t]);
      const [c, s] = [at(cosine, [position, i % half]), at(sine, [position, i % half])];
      const other = at(x, replaced(index, 3, i < half ? i + half : i - half));
      return at(x, index) * c + (i < half ? -other : other) * s;
    }),
  ];
}

export const kernels: { readonly [K in OperationName]: Kernel<K> } = {
  Abs: unary(Math.abs),
  Add: binary((a, b) => a + b),
  And: truth((a, b) => a === 1 && b === 1),
  Cast: unary((x) => x),
  Clip: (inputs) => {
    const [x, low, high] = given(inputs);
    return [
      dense(
        x.shape,
        x.data.map((value) => Math.min(Math.max(value, low.data[0] as number), high.data[0] as number)),
      ),
    ];
  },
  Concat: (inputs, { axis }, shapes) => [
    filled(shapeOf(shapes), (index) => {
      let offset = index[axis] as number;
      for (const part of inputs) {
        const size = part.shape[axis] as number;
        if (offset < size) return at(part, replaced(index, axis, offset));
        offset -= size;
      }
      throw new Error(`Concat: index ${index} is outside`);
    }),
  ],
  Div: binary((a, b) => a / b),
  Equal: truth((a, b) => a === b),
  Exp: unary(Math.exp),
  Expand: ([x], _, shapes) => [filled(shapeOf(shapes), (index) => at(x as Dense, index))],
  Gather: (inputs, { axis }, shapes) => {
    const [x, indices] = given(inputs);
    const rank = indices.shape.length;
    return [
      filled(shapeOf(shapes), (index) => {
        const row = at(indices, index.slice(axis, axis + rank));
        return at(x, [...index.slice(0, axis), row < 0 ? row + (x.shape[axis] as number) : row, ...index.slice(axis + rank)]);
      }),
    ];
  },
  GatherElements: (inputs, { axis }) => {
    const [x, indices] = given(inputs);
    return [filled(indices.shape, (index) => at(x, replaced(index, axis, at(indices, index))))];
  },
  GatherND: (inputs, _, shapes) => {
    const [x, indices] = given(inputs);
    const leading = indices.shape.length - 1;
    const place = (index: readonly number[]) =>
      Array.from({ length: indices.shape[leading] as number }, (_, i) => at(indices, [...index.slice(0, leading), i]));
    return [filled(shapeOf(shapes), (index) => at(x, [...place(index), ...index.slice(leading)]))];
  },
  Gemm: (inputs, { transA, transB, alpha, beta }, shapes) => {
    const [a, b, c] = given(inputs);
    const product = matrixProduct(a, b, shapeOf(shapes), transA === 1, transB === 1, alpha.float);
    return [c ? filled(product.shape, (index) => at(product, index) + beta.float * at(c, index)) : product];
  },
  Greater: truth((a, b) => a > b),
  GreaterOrEqual: truth((a, b) => a >= b),
  Identity: unary((x) => x),
  Less: truth((a, b) => a < b),
  LessOrEqual: truth((a, b) => a <= b),
  Log: unary(Math.log),
  LogSoftmax: ([x]) => byRow(x as Dense, logSoftmaxRow),
  MatMul: (inputs, _, shapes) => {
    const [a, b] = given(inputs);
    return [matrixProduct(a, b, shapeOf(shapes), false, false, 1)];
  },
  Max: binary(Math.max),
  Min: binary(Math.min),
  Mul: binary((a, b) => a * b),
  Neg: unary((x) => -x),
  Not: unary((x) => 1 - x),
  Or: truth((a, b) => a === 1 || b === 1),
  Pow: binary((a, b) => a ** b),
  Reciprocal: unary((x) => 1 / x),
  ReduceMax: (inputs, _, shapes) => reduce(inputs, shapeOf(shapes), Number.NEGATIVE_INFINITY, Math.max),
  ReduceMean: (inputs, _, shapes) =>
    reduce(
      inputs,
      shapeOf(shapes),
      0,
      (sum, x) => sum + x,
      (sum, count) => sum / count,
    ),
  ReduceSum: (inputs, _, shapes) => reduce(inputs, shapeOf(shapes), 0, (sum, x) => sum + x),
  Reshape: ([x], _, shapes) => [dense(shapeOf(shapes), (x as Dense).data)],
  ScatterElements: scatter,
  Shape: ([x], { start, end }) => [dense([end - start], Float64Array.from((x as Dense).shape.slice(start, end)))],
  Sigmoid: unary(sigmoid),
  SimplifiedLayerNormalization: (inputs, { epsilon }) => {
    const [x, weight] = given(inputs);
    return rootMeanSquareNorm(x, weight, epsilon.float);
  },
  Slice: (inputs, _, shapes) => {
    const [x, start, , axes] = given(inputs);
    const axis = axes.data[0] as number;
    return [filled(shapeOf(shapes), (index) => at(x, replaced(index, axis, (index[axis] as number) + (start.data[0] as number))))];
  },
  Softmax: ([x]) => byRow(x as Dense, (row) => logSoftmaxRow(row).map(Math.exp)),
  Split: ([x], { axis }, shapes) => {
    let offset = 0;
    return shapes.map((shape) => {
      const start = offset;
      offset += shape[axis] as number;
      return filled(shape, (index) => at(x as Dense, replaced(index, axis, start + (index[axis] as number))));
    });
  },
  Sqrt: unary(Math.sqrt),
  Sub: binary((a, b) => a - b),
  Tanh: unary(Math.tanh),
  Transpose: ([x], { perm }, shapes) => [
    filled(shapeOf(shapes), (index) => {
      const source: number[] = [];
      perm.forEach((from, to) => {
        source[from] = index[to] as number;
      });
      return at(x as Dense, source);
    }),
  ],
  Where: (inputs, _, shapes) => {
    const [condition, a, b] = given(inputs);
    return [filled(shapeOf(shapes), (index) => (at(condition, index) === 1 ? at(a, index) : at(b, index)))];
  },
  FusedMatMul: (inputs, { transA, transB, alpha }, shapes) => {
    const [a, b] = given(inputs);
    return [matrixProduct(a, b, shapeOf(shapes), transA === 1, transB === 1, alpha.float)];
  },
  MatMulNBits: (inputs, { K: inner, bits, block_size: block }, shapes) => {
    const [x, codes, scales] = given(inputs);
    const weight = (row: number, k: number) => {
      const [group, place] = [[row, Math.floor(k / block)], ((k % block) * bits) / 8];
      const code = (at(codes, [...group, Math.floor(place)]) >> ((place % 1) * 8)) & (2 ** bits - 1);
      return at(scales, group) * (code - 2 ** (bits - 1));
    };
    return [
      filled(shapeOf(shapes), ([n, row]) =>
        Array.from({ length: inner }, (_, k) => at(x, [n as number, k]) * weight(row as number, k)).reduce((sum, term) => sum + term, 0),
      ),
    ];
  },
  QuickGelu: ([x], { alpha }) => unary((value) => value * sigmoid(alpha.float * value))([x as Dense]),
  RotaryEmbedding: rotate,
  SkipSimplifiedLayerNormalization: (inputs, { epsilon }) => {
    const [x, added, weight] = given(inputs);
    const sum = dense(
      x.shape,
      x.data.map((value, i) => value + (added.data[i] as number)),
    );
    return [...rootMeanSquareNorm(sum, weight, epsilon.float), sum];
  },
};
