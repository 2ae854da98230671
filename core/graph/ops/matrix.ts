/** @file Matrix products. */
import { broadcastShape } from '../shapes.ts';
import { type Dim, float, type Value } from '../types.ts';

export interface MatrixOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

export interface GemmOptions extends MatrixOptions {
  /** Added, scaled by beta, with broadcasting. */
  readonly c?: Value | undefined;
  readonly beta?: number;
}

const flag = (on: boolean | undefined): 0 | 1 => (on ? 1 : 0);
const dim = (x: Value, fromEnd: number) => x.shape[x.shape.length - fromEnd] as Dim;

function productShape(a: Value, b: Value, { transA, transB }: MatrixOptions): Dim[] {
  const [rows, inner] = transA ? [dim(a, 1), dim(a, 2)] : [dim(a, 2), dim(a, 1)];
  const [innerB, columns] = transB ? [dim(b, 1), dim(b, 2)] : [dim(b, 2), dim(b, 1)];
  if (inner !== innerB)
    throw new Error(`matrix product of [${a.shape}]${transA ? 'ᵀ' : ''} and [${b.shape}]${transB ? 'ᵀ' : ''}: inner sizes ${inner} and ${innerB} differ`);
  return [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
}

export function matMul(a: Value, b: Value): Value {
  return a.graph.emit('MatMul', [a, b], {}, [{ dtype: a.dtype, shape: productShape(a, b, {}) }])[0] as Value;
}

/** alpha · A · B + beta · C of two matrices. */
export function gemm(a: Value, b: Value, options: GemmOptions = {}): Value {
  const { transA, transB, alpha = 1, beta = 1, c } = options;
  const attributes = { transA: flag(transA), transB: flag(transB), alpha: float(alpha), beta: float(beta) };
  return a.graph.emit('Gemm', c ? [a, b, c] : [a, b], attributes, [{ dtype: a.dtype, shape: productShape(a, b, options) }])[0] as Value;
}

/** alpha · A · B of stacks of matrices, either of them transposed without a copy (com.microsoft). */
export function fusedMatMul(a: Value, b: Value, options: MatrixOptions = {}): Value {
  const attributes = { transA: flag(options.transA), transB: flag(options.transB), alpha: float(options.alpha ?? 1) };
  return a.graph.emit('FusedMatMul', [a, b], attributes, [{ dtype: a.dtype, shape: productShape(a, b, options) }])[0] as Value;
}

/** x Wᵀ with W as codes [out, blocks, bytes] and scales [out, blocks] (com.microsoft; symmetric, blocks along `in`); x [N, in]. */
export function matMulNBits(x: Value, codes: Value, scales: Value, { bits, block }: { bits: number; block: number }): Value {
  const [inner, columns] = [dim(x, 1) as number, codes.shape[0] as number];
  // Level 4: products of 8-bit integers, x quantised block by block.
  const attributes = { K: inner, N: columns, bits, block_size: block, accuracy_level: 4 };
  return x.graph.emit('MatMulNBits', [x, codes, scales], attributes, [{ dtype: x.dtype, shape: [dim(x, 2), columns] }])[0] as Value;
}

/** x Wᵀ + bias with W [out, in], as Hugging Face stores it; x [N, in]. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  return gemm(x, weight, { transB: true, c: bias });
}
