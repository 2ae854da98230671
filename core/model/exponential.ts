/**
 * @file e^x for x ≤ 0, in arithmetic that IEEE 754 defines to the last bit: the same on every machine and every release of the JavaScript
 * engine, which `Math.exp` is not. Relative error below 1e-15. x is k steps of ln 2 / 64 and a rest; a table has the steps, a short series the rest.
 */

/** Of a power of two. */
const steps = 64;
const stepsPerUnit = steps * Math.LOG2E;
/** ln 2 / 64 in two parts: products of the first, which has 36 digits, with whole numbers below 2¹⁷ are exact. */
const stepHigh = Math.floor(Math.LN2 * 2 ** 36) / 2 ** 36 / steps;
const stepLow = (0.6931471803691238 - Math.floor(Math.LN2 * 2 ** 36) / 2 ** 36 + 1.9082149292705877e-10) / steps;

/** 1 / n! */
const [c2, c3, c4, c5] = [1 / 2, 1 / 6, 1 / 24, 1 / 120];

/** 2^-k as far as doubles keep all their digits. */
const powersOfTwo = Float64Array.from({ length: 1023 }, (_, k) => 2 ** -k);
/** 2^(-j / 64), from a series that is long enough. */
const powersOfStep = Float64Array.from({ length: steps }, (_, j) => longSeries(-j * stepHigh - j * stepLow));

/** NaN stays NaN; what is below 1e-307 is 0. */
export function expOfNonPositive(x: number): number {
  if (x < -708) return 0;
  const k = (0.5 - x * stepsPerUnit) | 0;
  const r = x + k * stepHigh + k * stepLow;
  const series = 1 + r * (1 + r * (c2 + r * (c3 + r * (c4 + r * c5))));
  return series * (powersOfStep[k & (steps - 1)] as number) * (powersOfTwo[k >> 6] as number);
}

/** Σ xⁿ / n!, the smallest terms first; for -ln 2 < x ≤ 0. */
function longSeries(x: number): number {
  let sum = 1;
  for (let n = 20; n > 0; n--) sum = 1 + (x / n) * sum;
  return sum;
}
