/** @file One random case per differentiable operation and macro: the inputs to differentiate, and the value that is made of them. */
import fc from 'fast-check';
import type { Dense } from '../../core/graph/dense.ts';
import type { ActName } from '../../core/graph/gradients.ts';
import { Graph } from '../../core/graph/graph.ts';
import { collectRows, spreadRows } from '../../core/graph/grids.ts';
import { causalAttention, gatherRows, rmsNorm, rope, swiglu, tokenLogprob } from '../../core/graph/macros.ts';
import * as op from '../../core/graph/ops.ts';
import { prefixedAttention } from '../../core/graph/prefixedAttention.ts';
import type { Value } from '../../core/graph/types.ts';
import { type Random, randomOf } from '../../core/random.ts';

/** A graph in float64 whose value depends on its float64 inputs, and numbers for these. */
export interface OperationCase {
  readonly graph: Graph;
  readonly wrt: readonly Value[];
  readonly values: readonly Value[];
  readonly feeds: ReadonlyMap<string, Dense>;
}

/** Sizes of up to four axes, how operands broadcast, and a seed for the numbers. */
export interface Draw {
  readonly sizes: readonly [number, number, number, number];
  readonly rank: number;
  readonly stretch: readonly boolean[];
  readonly flags: readonly [boolean, boolean, boolean, boolean];
  readonly seed: number;
}

const size = fc.integer({ min: 1, max: 3 });

export const draws: fc.Arbitrary<Draw> = fc.record({
  sizes: fc.tuple(size, size, size, size),
  rank: fc.integer({ min: 1, max: 4 }),
  stretch: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
  seed: fc.nat(),
});

class Builder {
  readonly graph = new Graph();
  readonly wrt: Value[] = [];
  readonly feeds = new Map<string, Dense>();
  readonly draw: Draw;
  readonly random: Random;

  constructor(draw: Draw) {
    this.draw = draw;
    this.random = randomOf(draw.seed);
  }

  get shape(): number[] {
    return this.draw.sizes.slice(0, this.draw.rank);
  }

  /** The shape with some axes 1 and some leading axes missing. */
  get stretched(): number[] {
    const shape = this.shape.map((dim, i) => (this.draw.stretch[i] ? 1 : dim));
    return this.draw.flags[0] ? shape.slice(1) : shape;
  }

  input(shape: readonly number[], element = () => this.random.normal()): Value {
    const name = `x${this.wrt.length}`;
    const value = this.graph.input(name, 'float64', shape);
    const size = shape.reduce((product, dim) => product * dim, 1);
    this.wrt.push(value);
    this.feeds.set(name, { shape, data: Float64Array.from({ length: size }, element) });
    return value;
  }

  /** Away from zero, so that the difference quotient stays on one side of a pole or kink. */
  positive(shape: readonly number[]): Value {
    return this.input(shape, () => 0.3 + 2 * this.random.next());
  }

  awayFromZero(shape: readonly number[]): Value {
    return this.input(shape, () => (this.random.next() < 0.5 ? -1 : 1) * (0.3 + 2 * this.random.next()));
  }

  indices(shape: readonly number[], below: number): Value {
    const size = shape.reduce((product, dim) => product * dim, 1);
    const data = BigInt64Array.from({ length: size }, () => BigInt(this.random.integer(0, below - 1)));
    return this.graph.initializer('indices', 'int64', shape, data);
  }

  table(name: string, shape: readonly number[], data: Float64Array): Value {
    return this.graph.initializer(name, 'float64', shape, data);
  }

  done(...values: readonly Value[]): OperationCase {
    return { graph: this.graph, wrt: this.wrt, values, feeds: this.feeds };
  }
}

type Case = (b: Builder) => OperationCase;

const unary =
  (f: (x: Value) => Value, make: 'input' | 'positive' | 'awayFromZero' = 'input'): Case =>
  (b) =>
    b.done(f(b[make](b.shape)));
const binary =
  (f: (x: Value, y: Value) => Value, make: 'input' | 'positive' | 'awayFromZero' = 'input'): Case =>
  (b) => {
    const [x, y] = b.draw.flags[1] ? [b[make](b.shape), b[make](b.stretched)] : [b[make](b.stretched), b[make](b.shape)];
    return b.done(f(x, y));
  };

/** Operands of a matrix product with either side transposed; `stack` are leading axes. */
function matrices(b: Builder, stack: readonly number[]): { x: Value; y: Value; transA: boolean; transB: boolean } {
  const [rows, inner, columns] = b.draw.sizes;
  const [transA, transB, sharedB] = b.draw.flags;
  const x = b.input([...stack, ...(transA ? [inner, rows] : [rows, inner])]);
  const y = b.input([...(sharedB ? [] : stack), ...(transB ? [columns, inner] : [inner, columns])]);
  return { x, y, transA, transB };
}

/** Rows in random order on two grids, each with one cell of padding at its end. */
function gridCase(b: Builder) {
  const [first, second, , width] = b.draw.sizes;
  const rows = first + second;
  const order = b.random.sample(
    Array.from({ length: rows }, (_, row) => row),
    rows,
  );
  const grids = [
    [...order.slice(0, first), -1],
    [...order.slice(first), -1],
  ];
  const cells = grids.map((grid) => b.graph.integers(grid));
  const places = b.graph.integers(Array.from({ length: rows }, (_, row) => grids.flat().indexOf(row)));
  return { places: { cells, places }, rows, width };
}

function ropeCase(rotate: (x: Value, tables: { positions: Value; cosine: Value; sine: Value; negativeSine: Value }) => Value): Case {
  return (b) => {
    const [batch, heads, length, half] = b.draw.sizes;
    const angles = Float64Array.from({ length: 8 * half }, () => b.random.normal());
    const shape = [8, half];
    const tables = {
      positions: b.draw.flags[0] ? b.indices([batch, length], 8) : b.indices([1], 5),
      cosine: b.table('cosine', shape, angles.map(Math.cos)),
      sine: b.table('sine', shape, angles.map(Math.sin)),
      negativeSine: b.table(
        'negativeSine',
        shape,
        angles.map((angle) => -Math.sin(angle)),
      ),
    };
    return b.done(rotate(b.input([batch, heads, length, 2 * half]), tables));
  };
}

const axisOfDraw = (b: Builder) => b.draw.seed % b.draw.rank;
const reduction =
  (f: (x: Value, axes: readonly number[], keepdims: boolean) => Value): Case =>
  (b) => {
    const chosen = b.shape.map((_, axis) => axis).filter((axis) => b.draw.stretch[axis]);
    return b.done(f(b.input(b.shape), chosen.length > 0 ? chosen : [axisOfDraw(b)], b.draw.flags[0]));
  };

export const operationCases = {
  Abs: unary(op.abs, 'awayFromZero'),
  Add: binary(op.add),
  Cast: unary((x) => op.cast(x, 'float64')),
  Clip: (b) => b.done(op.clip(b.input(b.shape), -0.501, 0.703)),
  Concat: (b) => {
    const axis = axisOfDraw(b);
    return b.done(op.concat([b.input(b.shape), b.input(b.shape.map((dim, i) => (i === axis ? dim + 1 : dim)))], axis));
  },
  Div: binary(op.div, 'awayFromZero'),
  Exp: unary(op.exp),
  Expand: (b) => b.done(op.expand(b.input(b.stretched), b.shape)),
  Gather: (b) => b.done(op.gather(b.input([3, ...b.shape.slice(1)]), b.indices(b.shape.slice(0, 2), 3))),
  GatherElements: (b) => {
    const axis = axisOfDraw(b);
    return b.done(op.gatherElements(b.input(b.shape), b.indices(b.shape, b.shape[axis] as number), axis));
  },
  Gemm: (b) => {
    const { x, y, transA, transB } = matrices(b, []);
    const [rows, , columns] = b.draw.sizes;
    const c = [undefined, () => b.input([columns]), () => b.input([rows, columns]), () => b.input([rows, 1])][b.draw.seed % 4];
    return b.done(op.gemm(x, y, { transA, transB, alpha: 0.7, beta: b.draw.flags[3] ? 1 : 0.4, c: c?.() }));
  },
  Identity: unary(op.identity),
  Log: unary(op.log, 'positive'),
  LogSoftmax: unary(op.logSoftmax),
  MatMul: (b) => {
    const [rows, inner, columns, stack] = b.draw.sizes;
    return b.done(op.matMul(b.input([stack, rows, inner]), b.input([...(b.draw.flags[0] ? [stack] : [1]), inner, columns])));
  },
  Max: binary(op.max),
  Min: binary(op.min),
  Mul: binary(op.mul),
  Neg: unary(op.neg),
  Pow: binary(op.pow, 'positive'),
  Reciprocal: unary(op.reciprocal, 'awayFromZero'),
  ReduceMean: reduction(op.reduceMean),
  ReduceSum: reduction(op.reduceSum),
  Reshape: (b) => b.done(op.reshape(b.input(b.shape), [b.shape.reduce((product, dim) => product * dim, 1), 1])),
  Sigmoid: unary(op.sigmoid),
  SimplifiedLayerNormalization: (b) => b.done(op.simplifiedLayerNormalization(b.input(b.shape), b.input([b.shape.at(-1) as number]), 0.1)),
  Slice: (b) => {
    const axis = axisOfDraw(b);
    const shape = b.shape.map((dim, i) => (i === axis ? dim + 2 : dim));
    const [start, end] = [b.draw.flags[0] ? 1 : 0, (shape[axis] as number) - (b.draw.flags[1] ? 1 : 0)];
    return b.done(op.slice(b.input(shape), axis, start, end));
  },
  Softmax: unary(op.softmax),
  Split: (b) => {
    const axis = axisOfDraw(b);
    const parts = op.split(b.input(b.shape.map((dim, i) => (i === axis ? dim + 2 : dim))), [1, b.shape[axis] as number, 1], axis);
    return b.done(...(b.draw.flags[0] ? parts : parts.slice(1)));
  },
  Sqrt: unary(op.sqrt, 'positive'),
  Sub: binary(op.sub),
  Tanh: unary(op.tanh),
  Transpose: (b) =>
    b.done(
      op.transpose(
        b.input(b.shape),
        b.random.sample(
          b.shape.map((_, axis) => axis),
          b.draw.rank,
        ),
      ),
    ),
  Where: (b) => {
    const condition = op.greater(
      b.table(
        'condition',
        b.shape,
        Float64Array.from({ length: b.shape.reduce((p, d) => p * d, 1) }, () => b.random.normal()),
      ),
      0,
    );
    return b.done(op.where(condition, b.input(b.stretched), b.input(b.shape)));
  },
  FusedMatMul: (b) => {
    const { x, y, transA, transB } = matrices(b, [b.draw.sizes[3], 2]);
    return b.done(op.fusedMatMul(x, y, { transA, transB, alpha: 1.3 }));
  },
  QuickGelu: unary((x) => op.quickGelu(x, 1.7)),
  RotaryEmbedding: ropeCase((x, { positions, cosine, sine }) => op.rotaryEmbedding(x, positions, cosine, sine)),
  rmsNorm: (b) => b.done(rmsNorm(b.input(b.shape), b.input([b.shape.at(-1) as number]), 0.1)),
  rope: ropeCase(rope),
  swiglu: (b) => b.done(swiglu(b.input(b.shape), b.input(b.shape))),
  causalAttention: (b) => {
    const [batch, kv, group, width] = b.draw.sizes;
    const length = 1 + (b.draw.seed % 5);
    const keys = () => b.input([batch, kv, length, width]);
    const starts = Array.from({ length }, (_, start) => start).filter((start) => start % (1 + (b.draw.seed % 3)) === 0);
    const positions = b.graph.integers(Array.from({ length }, (_, position) => position));
    return b.done(causalAttention(b.input([batch, kv, group, length, width]), keys(), keys(), positions, 0.6, { starts, length }));
  },
  prefixedAttention: (b) => {
    const [outer, kv, siblings, width] = b.draw.sizes;
    const [group, length, prefixLength] = [1 + (b.draw.seed % 2), 1 + (b.draw.seed % 3), 1 + (b.draw.seed % 4)];
    const own = (count: number) => b.input([outer, kv, siblings, count, width]);
    const ofPrefix = () => b.input([outer, kv, 1, prefixLength, width]);
    const query = own(group * length);
    const inputs = { query, key: own(length), value: own(length), prefixKey: ofPrefix(), prefixValue: ofPrefix() };
    const hidden = Float64Array.from({ length: outer * prefixLength }, (_, i) => (b.draw.flags[0] && i % prefixLength === prefixLength - 1 ? -1e9 : 0));
    const prefix = b.table('prefixMask', [outer, 1, 1, 1, prefixLength], hidden);
    const positions = b.graph.integers(Array.from({ length }, (_, position) => position));
    return b.done(prefixedAttention(inputs, { prefix, positions, group }, 0.6));
  },
  spreadRows: (b) => {
    const { places, rows, width } = gridCase(b);
    return b.done(...spreadRows(b.input([rows, width]), places).map((grid) => op.slice(grid, 0, 0, (grid.shape[0] as number) - 1)));
  },
  collectRows: (b) => {
    const { places, width } = gridCase(b);
    const grids = places.cells.map((cells) => b.input([cells.shape[0] as number, width]));
    return b.done(collectRows(grids, places));
  },
  gatherRows: (b) => {
    const [first, second, padding, width] = b.draw.sizes;
    const order = b.random.sample(
      Array.from({ length: first * second }, (_, row) => row),
      first * second,
    );
    const kept = b.draw.flags[0] ? order : order.slice(1);
    const rows = [...kept, ...Array<number>(padding).fill(-1)];
    const inverse = order.map((_, row) => kept.indexOf(row));
    const table = (name: string, values: readonly number[], shape: readonly number[]) =>
      b.graph.initializer(
        name,
        'int64',
        shape,
        BigInt64Array.from(values, (value) => BigInt(value)),
      );
    const gathered = gatherRows(b.input([first, second, width]), {
      rows: table('rows', rows, [1, rows.length]),
      inverse: table('inverse', inverse, [first, second]),
      complete: kept.length === order.length,
    });
    return b.done(op.slice(gathered, 1, 0, kept.length));
  },
  tokenLogprob: (b) => {
    const [count, vocabulary] = b.draw.sizes;
    const { logprob, entropy } = tokenLogprob(b.input([count, vocabulary]), b.indices([count, 1], vocabulary));
    return b.done(...(b.draw.flags[0] ? [logprob, entropy] : b.draw.flags[1] ? [logprob] : [entropy]));
  },
} as const satisfies Partial<Record<ActName, Case>>;

export function caseOf(name: keyof typeof operationCases, draw: Draw): OperationCase {
  return operationCases[name](new Builder(draw));
}
