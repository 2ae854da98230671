/**
 * @file The op set: every ONNX operation that a graph may hold, with its attributes. Nodes, shape rules, gradient rules and
 * the evaluator are typed by this table, so a new line here does not compile until its gradient rule exists.
 */
import type { FloatAttribute } from './types.ts';

type None = Readonly<Record<never, never>>;
type Flag = 0 | 1;

export interface Operations {
  Abs: None;
  Add: None;
  And: None;
  Cast: { to: number };
  Clip: None;
  Concat: { axis: number };
  Div: None;
  Equal: None;
  Exp: None;
  Expand: None;
  Gather: { axis: number };
  GatherElements: { axis: number };
  GatherND: None;
  Gemm: { transA: Flag; transB: Flag; alpha: FloatAttribute; beta: FloatAttribute };
  Greater: None;
  GreaterOrEqual: None;
  Identity: None;
  Less: None;
  LessOrEqual: None;
  Log: None;
  LogSoftmax: { axis: number };
  MatMul: None;
  Max: None;
  Min: None;
  Mul: None;
  Neg: None;
  Not: None;
  Or: None;
  Pow: None;
  Reciprocal: None;
  ReduceMax: { keepdims: Flag };
  ReduceMean: { keepdims: Flag };
  ReduceSum: { keepdims: Flag };
  Reshape: None;
  ScatterElements: { axis: number; reduction: 'none' | 'add' };
  Shape: { start: number; end: number };
  Sigmoid: None;
  SimplifiedLayerNormalization: { axis: number; epsilon: FloatAttribute; stash_type: 1 };
  Slice: None;
  Softmax: { axis: number };
  Split: { axis: number };
  Sqrt: None;
  Sub: None;
  Tanh: None;
  Transpose: { perm: readonly number[] };
  Where: None;
  /** Domain com.microsoft from here on. */
  FusedMatMul: { transA: Flag; transB: Flag; alpha: FloatAttribute };
  MatMulNBits: { K: number; N: number; bits: number; block_size: number; accuracy_level: number };
  QuickGelu: { alpha: FloatAttribute };
  RotaryEmbedding: { interleaved: Flag };
  SkipSimplifiedLayerNormalization: { epsilon: FloatAttribute };
}

export type OperationName = keyof Operations;

const contributed: ReadonlySet<OperationName> = new Set(['FusedMatMul', 'MatMulNBits', 'QuickGelu', 'RotaryEmbedding', 'SkipSimplifiedLayerNormalization']);

/** ONNX domain of an operation; the empty string is ONNX's own. */
export function domainOf(operation: OperationName): string {
  return contributed.has(operation) ? 'com.microsoft' : '';
}
