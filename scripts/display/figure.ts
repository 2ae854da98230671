/** @file One measured figure beside its bar, as `npm run bench` prints and writes it. */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bar in words, for example `≤ 1.3`; null where a figure only informs. */
  readonly bar: string | null;
  /** Null where there is no bar. */
  readonly pass: boolean | null;
  /** Smallest and largest of the repetitions. */
  readonly spread: readonly [low: number, high: number] | null;
  /** How it was measured, in one line. */
  readonly how: string;
}
