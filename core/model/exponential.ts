/**
 * @file e^x for x ≤ 0, in arithmetic that IEEE 754 defines to the last bit: the same on every machine and every release of the JavaScript
 * engine, which `Math.exp` is not. Relative error below 1e-15.
 */

const log2e = Math.LOG2E;
/** ln 2 in two parts: products of the first with whole numbers below 2¹¹ are exact. */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;

/** 2^-k as far as doubles keep all their digits. */
const powersOfTwo = Float64Array.from({ length: 1023 }, (_, k) => 2 ** -k);

/** 1 / n! */
const [c2, c3, c4, c5, c6] = [1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720];
const [c7, c8, c9, c10, c11, c12, c13] = [1 / 5040, 1 / 40320, 1 / 362880, 1 / 3628800, 1 / 39916800, 1 / 479001600, 1 / 6227020800];

/** NaN stays NaN; what is below 1e-307 is 0. */
export function expOfNonPositive(x: number): number {
  if (x < -708) return 0;
  const k = (0.5 - x * log2e) | 0;
  const r = x + k * ln2High + k * ln2Low;
  const high = c8 + r * (c9 + r * (c10 + r * (c11 + r * (c12 + r * c13))));
  const series = 1 + r * (1 + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * (c7 + r * high)))))));
  return series * (powersOfTwo[k] as number);
}
