/** @file How numbers are written for people, and the intervals that belong to shares. */

/** Three significant digits; powers of ten only where they are shorter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3) return minus(value.toExponential(1));
  if (size >= 1000)
    return minus(
      Math.round(value)
        .toString()
        .replace(/\B(?=(\d{3})+$)/g, '\u202f'),
    );
  return minus(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3));
}

/** `+0.50`, `−0.10`, `0`: sums of rewards and advantages, whose sign is what matters. */
export function signed(value: number): string {
  if (Math.abs(value) < 0.005) return '0';
  return `${value > 0 ? '+' : '−'}${Math.abs(value).toFixed(2)}`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `2.6e−6`: for figures whose power of ten is what matters. */
export function scientific(value: number): string {
  return value === 0 ? '0' : minus(value.toExponential(1));
}

/** `50 %`: ends of an axis. */
export function wholePercent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function minus(text: string): string {
  return text.replace('-', '−');
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const normalQuantile = 1.959964;

/** 95 % interval of a share (Wilson), which stays within [0, 1] and does not collapse at 0 or all. */
export function wilson(hits: number, count: number): Interval {
  if (count === 0) return { low: 0, high: 1 };
  const [share, z2] = [hits / count, normalQuantile ** 2];
  const centre = (share + z2 / (2 * count)) / (1 + z2 / count);
  const half = (normalQuantile * Math.sqrt((share * (1 - share)) / count + z2 / (4 * count * count))) / (1 + z2 / count);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** 95 % interval of the difference of two independent shares (Newcombe, from their Wilson intervals). */
export function differenceInterval(before: { readonly hits: number; readonly count: number }, after: typeof before): Interval {
  const [p, q] = [before.hits / before.count, after.hits / after.count];
  const [b, a] = [wilson(before.hits, before.count), wilson(after.hits, after.count)];
  return { low: q - p - Math.hypot(q - a.low, b.high - p), high: q - p + Math.hypot(a.high - q, p - b.low) };
}
