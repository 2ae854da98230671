/** @file Time left in a phase, from the pace since we began to look at it. */
import type { Progress } from '../../core/run/types.ts';
import { countOf } from './progressLine.ts';

export class Pace {
  #unit: string | undefined;
  #firstDone = 0;
  #firstAtMs = 0;

  /** Undefined until something was done before our eyes. */
  secondsLeft(progress: Progress, nowMs: number): number | undefined {
    const count = countOf(progress);
    if (!count) return undefined;
    if (count.unit !== this.#unit) {
      this.#unit = count.unit;
      this.#firstDone = count.done;
      this.#firstAtMs = nowMs;
    }
    const done = count.done - this.#firstDone;
    return done > 0 ? ((nowMs - this.#firstAtMs) / 1000 / done) * (count.total - count.done) : undefined;
  }
}
