/**
 * @file What several samples of each task say: avg@k, the unbiased pass@k of arXiv 2107.03374, and their intervals. Samples of one task are
 * alike, so 95 % intervals come from drawing tasks anew (percentile bootstrap), for two policies the same tasks for both. Where every task has
 * 0 or 1 it is Wilson's (1927): drawing anew from nothing but zeros would give an interval of no width.
 */
import { randomOf } from '../random.ts';

/** Counted and solved samples of each task, in the order of the tasks. */
export interface PerTask {
  readonly solved: readonly number[];
  readonly counted: readonly number[];
}

export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Tasks with enough counted samples. */
  readonly tasks: number;
}

/** Chance that one of k of the n samples, drawn without replacement, is among the c solved ones: 1 − C(n − c, k) ÷ C(n, k). */
export function passAtK(n: number, c: number, k: number): number {
  if (k > n) throw new Error(`passAtK: expected at most ${n} samples a draw, got ${k}`);
  let none = 1;
  for (let i = 0; i < k; i++) none *= Math.max(0, n - c - i) / (n - i);
  return 1 - none;
}

/** Mean over the tasks; `k` 0 is avg@k, the solved share of each task's samples. Undefined when no task has k samples. */
export function estimateOf(perTask: PerTask, k: number): Estimate | undefined {
  const values = valuesOf(perTask, k).filter((value) => value !== undefined);
  return values.length > 0 && values.every((value) => value === 0 || value === 1) ? wilson(values) : bootstrapped(values);
}

/** Mean difference (second − first) over the tasks that both have played. */
export function pairedDifference(first: PerTask, second: PerTask, k: number): Estimate | undefined {
  const [before, after] = [valuesOf(first, k), valuesOf(second, k)];
  return bootstrapped(after.flatMap((value, task) => (value === undefined || before[task] === undefined ? [] : [value - before[task]])));
}

function valuesOf({ solved, counted }: PerTask, k: number): (number | undefined)[] {
  return counted.map((n, task) => {
    const c = solved[task] ?? 0;
    if (n < Math.max(1, k)) return undefined;
    return k === 0 ? c / n : passAtK(n, c, k);
  });
}

/** The normal quantile of a two-sided 95 %. */
const z = 1.959963984540054;

function wilson(values: readonly number[]): Estimate {
  const [n, share] = [values.length, meanOf(values)];
  const centre = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2))) / (1 + z ** 2 / n);
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half), tasks: n };
}

const draws = 2000;

function bootstrapped(values: readonly number[]): Estimate | undefined {
  if (values.length === 0) return undefined;
  const random = randomOf(0);
  const last = values.length - 1;
  const means = Array.from({ length: draws }, () => meanOf(values.map(() => values[random.integer(0, last)] as number))).sort((a, b) => a - b);
  const at = (share: number) => means[Math.round(share * (draws - 1))] as number;
  return { value: meanOf(values), low: at(0.025), high: at(0.975), tasks: values.length };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
