/** @file Worker thread that compares expressions with the compute engine. It may be killed at any time: see checkMath.ts. */
import { parentPort } from 'node:worker_threads';
import { ComputeEngine, type Expression } from '@cortex-js/compute-engine';

export interface MathQuestion {
  readonly id: number;
  /** LaTeX. */
  readonly answer: string;
  readonly expected: string;
}

export interface MathVerdict {
  readonly id: number;
  readonly equal: boolean;
  /** False when the expected expression cannot be read. */
  readonly expectedValid: boolean;
}

const engine = new ComputeEngine();

parentPort?.on('message', ({ id, answer, expected }: MathQuestion) => {
  const right = engine.parse(expected);
  const expectedValid = right.isValid && right.operator !== 'Nothing' && expected.trim() !== '';
  const verdict: MathVerdict = { id, expectedValid, equal: expectedValid && answers(answer, right) };
  parentPort?.postMessage(verdict);
});

/** An answer that the engine cannot take in, be it too deep for its stack, is a wrong one: it would fail in the same way every time. */
function answers(answer: string, right: Expression): boolean {
  try {
    const left = engine.parse(answer);
    return left.isValid && equal(left, right);
  } catch {
    return false;
  }
}

function equal(left: Expression, right: Expression): boolean {
  const [a, b] = [valueSide(left, right), valueSide(right, left)];
  if (a.operator === 'Tuple' && b.operator === 'Tuple') return sameTuple(a, b);
  if (a.isSame(b)) return true;
  const decided = a.isEqual(b);
  if (decided === true) return true;
  return a.unknowns.length + b.unknowns.length > 0 ? sameFunction(a, b) : closeNumbers(a.N(), b.N());
}

/** `x = 5` answers a question whose answer is `5`. */
function valueSide(side: Expression, other: Expression): Expression {
  if (side.operator !== 'Equal' || other.operator === 'Equal') return side;
  const [name, value] = operandsOf(side);
  return typeof name?.json === 'string' && value !== undefined ? value : side;
}

function operandsOf(expression: Expression): readonly Expression[] {
  return 'ops' in expression ? ((expression.ops as readonly Expression[] | null) ?? []) : [];
}

function sameTuple(a: Expression, b: Expression): boolean {
  const [left, right] = [operandsOf(a), operandsOf(b)];
  return left.length === right.length && left.every((entry, i) => equal(entry, right[i] as Expression));
}

/** Two formulas are the same when they agree at fixed points, at enough of which both are defined. */
function sameFunction(a: Expression, b: Expression): boolean {
  const names = [...new Set([...a.unknowns, ...b.unknowns])];
  if (names.length > 8) return false;
  let defined = 0;
  for (const point of samplePoints) {
    const values = Object.fromEntries(names.map((name, i) => [name, engine.number(point + 0.3217 * i)]));
    const [left, right] = [a.subs(values).N(), b.subs(values).N()];
    if (!isNumber(left) && !isNumber(right)) continue;
    if (!closeNumbers(left, right)) return false;
    defined += 1;
  }
  return defined >= 4;
}

const samplePoints = [0.5178, 1.3841, 2.7193, -0.6437, -1.9172, 3.3129, 0.0871] as const;

function isNumber(expression: Expression): boolean {
  return Number.isFinite(expression.re) && Number.isFinite(expression.im);
}

function closeNumbers(a: Expression, b: Expression): boolean {
  if (!isNumber(a) || !isNumber(b)) return false;
  const scale = Math.max(1e-12, Math.abs(a.re), Math.abs(b.re), Math.abs(a.im), Math.abs(b.im));
  return Math.abs(a.re - b.re) <= 1e-9 * scale && Math.abs(a.im - b.im) <= 1e-9 * scale;
}
