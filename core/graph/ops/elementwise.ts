/** @file Elementwise ONNX operations; a number stands for a scalar of the other operand's dtype. */
import type { OperationName, Operations } from '../operations.ts';
import { broadcastShape } from '../shapes.ts';
import type { DType, Value } from '../types.ts';

export type Operand = Value | number;

type Plain = { [K in OperationName]: Operations[K] extends Readonly<Record<never, never>> ? K : never }[OperationName];

function unary(operation: Plain, x: Value, dtype: DType = x.dtype): Value {
  return x.graph.emit(operation, [x], {}, [{ dtype, shape: x.shape }])[0] as Value;
}

function operands(a: Operand, b: Operand): [Value, Value] {
  const known = typeof a === 'number' ? b : a;
  if (typeof known === 'number') throw new Error(`expected at least one operand to be a graph value, got ${a} and ${b}`);
  const lift = (operand: Operand) => (typeof operand === 'number' ? known.graph.constant(operand, known.dtype) : operand);
  return [lift(a), lift(b)];
}

function binary(operation: Plain, a: Operand, b: Operand, dtype?: DType): Value {
  const [x, y] = operands(a, b);
  return x.graph.emit(operation, [x, y], {}, [{ dtype: dtype ?? x.dtype, shape: broadcastShape(x.shape, y.shape) }])[0] as Value;
}

export const abs = (x: Value) => unary('Abs', x);
export const exp = (x: Value) => unary('Exp', x);
export const identity = (x: Value) => unary('Identity', x);
export const log = (x: Value) => unary('Log', x);
export const neg = (x: Value) => unary('Neg', x);
export const not = (x: Value) => unary('Not', x);
export const reciprocal = (x: Value) => unary('Reciprocal', x);
export const sigmoid = (x: Value) => unary('Sigmoid', x);
export const sqrt = (x: Value) => unary('Sqrt', x);
export const tanh = (x: Value) => unary('Tanh', x);

export const add = (a: Operand, b: Operand) => binary('Add', a, b);
export const sub = (a: Operand, b: Operand) => binary('Sub', a, b);
export const mul = (a: Operand, b: Operand) => binary('Mul', a, b);
export const div = (a: Operand, b: Operand) => binary('Div', a, b);
export const pow = (a: Value, exponent: Operand) => binary('Pow', a, exponent);
export const min = (a: Operand, b: Operand) => binary('Min', a, b);
export const max = (a: Operand, b: Operand) => binary('Max', a, b);
export const and = (a: Value, b: Value) => binary('And', a, b);
export const or = (a: Value, b: Value) => binary('Or', a, b);
export const equal = (a: Operand, b: Operand) => binary('Equal', a, b, 'bool');
export const less = (a: Operand, b: Operand) => binary('Less', a, b, 'bool');
export const lessOrEqual = (a: Operand, b: Operand) => binary('LessOrEqual', a, b, 'bool');
export const greater = (a: Operand, b: Operand) => binary('Greater', a, b, 'bool');
export const greaterOrEqual = (a: Operand, b: Operand) => binary('GreaterOrEqual', a, b, 'bool');

export function clip(x: Value, low: Operand, high: Operand): Value {
  const [, lowValue] = operands(x, low);
  const [, highValue] = operands(x, high);
  return x.graph.emit('Clip', [x, lowValue, highValue], {}, [x])[0] as Value;
}

export function where(condition: Value, a: Operand, b: Operand): Value {
  const [x, y] = operands(a, b);
  const shape = broadcastShape(condition.shape, broadcastShape(x.shape, y.shape));
  return x.graph.emit('Where', [condition, x, y], {}, [{ dtype: x.dtype, shape }])[0] as Value;
}

/** Numbers of TensorProto.DataType. */
export const dtypeCodes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, bfloat16: 16 } as const;

export function cast(x: Value, dtype: DType): Value {
  return x.graph.emit('Cast', [x], { to: dtypeCodes[dtype] }, [{ dtype, shape: x.shape }])[0] as Value;
}
