/**
 * @file The rule table of reverse mode: for every operation and macro how a gradient passes through it, or why it does not.
 * The table's type is mapped over the op set, so an operation without a line here does not compile.
 */
import { unbroadcast } from './broadcasting.ts';
import { collectRowsRule, spreadRowsRule } from './grids.ts';
import { causalAttentionRule, gatherRowsRule, rmsNormRule, ropeRule, swigluRule, tokenLogprobRule } from './macroGradients.ts';
import type { MacroName, Macros } from './macroTypes.ts';
import type { OperationName, Operations } from './operations.ts';
import * as op from './ops.ts';
import { prefixedAttentionRule } from './prefixedAttention.ts';
import { type Attributes, inverseOf, normalised, zerosLike } from './ruleParts.ts';
import { knownDim, reducedShape, sameShape, swapLastTwo } from './shapes.ts';
import type { Shape, Value } from './types.ts';

export type ActName = OperationName | MacroName;

export interface Act<K extends ActName> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes<K, Operations, Macros>;
  /** One per output; null where the loss does not depend on it. */
  readonly gradients: readonly (Value | null)[];
  /** One per input: whether its gradient is wanted. */
  readonly needs: readonly boolean[];
}

export type Rule<K extends ActName> = (act: Act<K>) => readonly (Value | null)[];

export interface NotDifferentiable {
  readonly reason: string;
}

const no = (reason: string): NotDifferentiable => ({ reason });
const truth = no('its output is a truth value');
const integers = no('its output is integers');

/** A rule for an operation with one output, given that output's gradient. */
type OneOutput<K extends ActName> = (dy: Value, act: Act<K>) => readonly (Value | null)[];
const one =
  <K extends ActName>(rule: OneOutput<K>): Rule<K> =>
  (act) =>
    rule(act.gradients[0] as Value, act);

type UnaryName = 'Abs' | 'Exp' | 'Log' | 'Neg' | 'Reciprocal' | 'Sigmoid' | 'Sqrt' | 'Tanh' | 'Identity';
const unary = (derivative: (dy: Value, x: Value, y: Value) => Value): Rule<UnaryName> =>
  one((dy, { inputs, outputs }) => [derivative(dy, inputs[0] as Value, outputs[0] as Value)]);

type BinaryName = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min' | 'Pow';
type Partial = (dy: Value, a: Value, b: Value, y: Value) => Value;
const binary = (wrtA: Partial, wrtB: Partial): Rule<BinaryName> =>
  one((dy, { inputs: [a, b], outputs, needs }) => {
    if (!a || !b) return [];
    const part = (partial: Partial, shape: Shape) => unbroadcast(partial(dy, a, b, outputs[0] as Value), shape);
    return [needs[0] ? part(wrtA, a.shape) : null, needs[1] ? part(wrtB, b.shape) : null];
  });

/** At a tie the first operand takes the whole gradient. */
const choice = (first: (a: Value, b: Value) => Value): Rule<BinaryName> =>
  binary(
    (dy, a, b) => op.where(first(a, b), dy, 0),
    (dy, a, b) => op.where(first(a, b), 0, dy),
  );

/** Restores the axes that a reduction dropped, so that its gradient broadcasts over x. */
function unreduced(dy: Value, act: Act<'ReduceSum' | 'ReduceMean'>): Value {
  const [x, axes] = act.inputs as [Value, Value];
  const at = op.integersOf(axes);
  return act.attributes.keepdims ? dy : op.reshape(dy, reducedShape(x.shape, at, true));
}

const known = (shape: Shape) => shape.map((dim) => knownDim(dim, shape));

export const rules: { readonly [K in ActName]: Rule<K> | NotDifferentiable } = {
  Abs: unary((dy, x) => op.where(op.less(x, 0), op.neg(dy), dy)),
  Add: binary(
    (dy) => dy,
    (dy) => dy,
  ),
  And: truth,
  Cast: one((dy, { inputs: [x] }) => [op.cast(dy, (x as Value).dtype)]),
  Clip: one((dy, { inputs: [x, low, high] }) => {
    const inside = op.and(op.greaterOrEqual(x as Value, low as Value), op.lessOrEqual(x as Value, high as Value));
    return [op.where(inside, dy, 0), null, null];
  }),
  Concat: one((dy, { inputs, attributes: { axis } }) => {
    const sizes = inputs.map((input) => knownDim(input.shape[axis], input.shape));
    return op.split(dy, sizes, axis);
  }),
  Div: binary(
    (dy, _a, b) => op.div(dy, b),
    (dy, _a, b, y) => op.neg(op.mul(op.div(dy, b), y)),
  ),
  Equal: truth,
  Exp: unary((dy, _x, y) => op.mul(dy, y)),
  Expand: one((dy, { inputs: [x] }) => [unbroadcast(dy, (x as Value).shape), null]),
  Gather: one((dy, { inputs: [x, indices], attributes: { axis } }) => {
    const [table, rows] = [x as Value, indices as Value];
    if (axis !== 0) throw new Error(`gradient of Gather: expected axis 0, got ${axis}; transpose first`);
    const count = known(rows.shape).reduce((product, dim) => product * dim, 1);
    const width = known(table.shape).slice(1);
    const flat = op.reshape(rows, [count, ...width.map(() => 1)]);
    return [op.scatterElements(zerosLike(table), op.expand(flat, [count, ...width]), op.reshape(dy, [count, ...width]), 0, 'add'), null];
  }),
  GatherElements: one((dy, { inputs: [x, indices], attributes: { axis } }) => [
    op.scatterElements(zerosLike(x as Value), indices as Value, dy, axis, 'add'),
    null,
  ]),
  GatherND: no('used for decoding only'),
  Gemm: one((dy, { inputs: [a, b, c], attributes, needs }) => {
    const [transA, transB, alpha, beta] = [attributes.transA === 1, attributes.transB === 1, attributes.alpha.float, attributes.beta.float];
    const [x, w] = [a as Value, b as Value];
    const wrtA = () => (transA ? op.gemm(w, dy, { transA: transB, transB: true, alpha }) : op.gemm(dy, w, { transB: !transB, alpha }));
    const wrtB = () => (transB ? op.gemm(dy, x, { transA: true, transB: transA, alpha }) : op.gemm(x, dy, { transA: !transA, alpha }));
    const wrtC = (bias: Value) => unbroadcast(beta === 1 ? dy : op.mul(dy, beta), bias.shape);
    return [needs[0] ? wrtA() : null, needs[1] ? wrtB() : null, c && needs[2] ? wrtC(c) : null];
  }),
  Greater: truth,
  GreaterOrEqual: truth,
  Identity: unary((dy) => dy),
  Less: truth,
  LessOrEqual: truth,
  Log: unary((dy, x) => op.div(dy, x)),
  LogSoftmax: one((dy, { outputs: [y] }) => [op.sub(dy, op.mul(op.exp(y as Value), op.reduceSum(dy, [-1])))]),
  MatMul: one((dy, { inputs, needs }) => {
    const [a, b] = inputs as [Value, Value];
    const transposed = (x: Value) => op.transpose(x, swapLastTwo(x.shape.length));
    return [needs[0] ? unbroadcast(op.matMul(dy, transposed(b)), a.shape) : null, needs[1] ? unbroadcast(op.matMul(transposed(a), dy), b.shape) : null];
  }),
  Max: choice((a, b) => op.greaterOrEqual(a, b)),
  Min: choice((a, b) => op.lessOrEqual(a, b)),
  Mul: binary(
    (dy, _a, b) => op.mul(dy, b),
    (dy, a) => op.mul(dy, a),
  ),
  Neg: unary((dy) => op.neg(dy)),
  Not: truth,
  Or: truth,
  Pow: binary(
    (dy, a, b) => op.mul(dy, op.mul(b, op.pow(a, op.sub(b, 1)))),
    (dy, a, _b, y) => op.mul(dy, op.mul(y, op.log(a))),
  ),
  Reciprocal: unary((dy, _x, y) => op.neg(op.mul(dy, op.mul(y, y)))),
  ReduceMax: no('used for its value only; softmax and LogSoftmax have their own rules'),
  ReduceMean: (act) => {
    const x = act.inputs[0] as Value;
    const count = op.integersOf(act.inputs[1] as Value).reduce((product, axis) => product * knownDim(x.shape[axis], x.shape), 1);
    return [op.expand(op.mul(unreduced(act.gradients[0] as Value, act), 1 / count), known(x.shape)), null];
  },
  ReduceSum: (act) => [op.expandLike(unreduced(act.gradients[0] as Value, act), act.inputs[0] as Value), null],
  Reshape: one((dy, { inputs: [x] }) => [op.reshape(dy, (x as Value).shape), null]),
  ScatterElements: no('it appears in gradients only'),
  Shape: integers,
  Sigmoid: unary((dy, _x, y) => op.mul(dy, op.mul(y, op.sub(1, y)))),
  SimplifiedLayerNormalization: one((dy, { inputs, attributes, needs }) => {
    const [x, weight] = inputs as [Value, Value];
    return normalised(dy, x, weight, attributes.epsilon.float, needs);
  }),
  Slice: one((dy, { inputs }) => [padded(dy, inputs), ...inputs.slice(1).map(() => null)]),
  Softmax: one((dy, { outputs: [y] }) => {
    const weighted = op.mul(dy, y as Value);
    return [op.sub(weighted, op.mul(y as Value, op.reduceSum(weighted, [-1])))];
  }),
  Split: ({ gradients, outputs, attributes: { axis } }) => [
    op.concat(
      gradients.map((gradient, i) => gradient ?? zerosLike(outputs[i] as Value)),
      axis,
    ),
    null,
  ],
  Sqrt: unary((dy, _x, y) => op.div(op.mul(dy, 0.5), y)),
  Sub: binary(
    (dy) => dy,
    (dy) => op.neg(dy),
  ),
  Tanh: unary((dy, _x, y) => op.mul(dy, op.sub(1, op.mul(y, y)))),
  Transpose: one((dy, { attributes: { perm } }) => [op.transpose(dy, inverseOf(perm))]),
  Where: one((dy, { inputs: [condition, a, b] }) => [
    null,
    unbroadcast(op.where(condition as Value, dy, 0), (a as Value).shape),
    unbroadcast(op.where(condition as Value, 0, dy), (b as Value).shape),
  ]),
  FusedMatMul: one((dy, { inputs, attributes, needs }) => {
    const [a, b] = inputs as [Value, Value];
    const [transA, transB, alpha] = [attributes.transA === 1, attributes.transB === 1, attributes.alpha.float];
    const wrtA = () => (transA ? op.fusedMatMul(b, dy, { transA: transB, transB: true, alpha }) : op.fusedMatMul(dy, b, { transB: !transB, alpha }));
    const wrtB = () => (transB ? op.fusedMatMul(dy, a, { transA: true, transB: transA, alpha }) : op.fusedMatMul(a, dy, { transA: !transA, alpha }));
    return [needs[0] ? unbroadcast(wrtA(), a.shape) : null, needs[1] ? unbroadcast(wrtB(), b.shape) : null];
  }),
  MatMulNBits: no('weights of few bits are never trained'),
  QuickGelu: one((dy, { inputs: [x], attributes }) => {
    const alpha = attributes.alpha.float;
    const gate = op.sigmoid(op.mul(x as Value, alpha));
    const slope = op.add(1, op.mul(op.mul(x as Value, alpha), op.sub(1, gate)));
    return [op.mul(dy, op.mul(gate, slope))];
  }),
  RotaryEmbedding: one((dy, { inputs: [, positions, cosine, sine] }) => [
    op.rotaryEmbedding(dy, positions as Value, cosine as Value, op.neg(sine as Value)),
    null,
    null,
    null,
  ]),
  SkipSimplifiedLayerNormalization: no('only decoding computes sum and normalisation in one'),
  rmsNorm: rmsNormRule,
  rope: ropeRule,
  swiglu: swigluRule,
  causalAttention: causalAttentionRule,
  prefixedAttention: prefixedAttentionRule,
  spreadRows: spreadRowsRule,
  collectRows: collectRowsRule,
  gatherRows: gatherRowsRule,
  tokenLogprob: tokenLogprobRule,
};

/** The gradient of a slice: zeros around it. */
function padded(dy: Value, [x, start, end, axes]: readonly Value[]): Value {
  const whole = x as Value;
  const [at, from, to] = [axes, start, end].map((value) => op.integersOf(value as Value)[0] as number) as [number, number, number];
  const zeros = (count: number) =>
    zerosLike(
      whole,
      whole.shape.map((dim, i) => (i === at ? count : dim)),
    );
  const after = knownDim(whole.shape[at], whole.shape) - to;
  const parts = [...(from > 0 ? [zeros(from)] : []), dy, ...(after > 0 ? [zeros(after)] : [])];
  return sameShape(dy.shape, whole.shape) ? dy : op.concat(parts, at);
}
