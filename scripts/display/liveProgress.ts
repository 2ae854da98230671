/** @file Progress on the terminal: one line that is rewritten, or plain lines where the output is no terminal. */
import type { Progress } from '../../core/run/types.ts';
import { Pace } from './pace.ts';
import { countOf, progressLine } from './progressLine.ts';

const plainEveryMs = 10_000;
/** A run that waits changes nothing: it is said at once, then seldom. */
const waitingEveryMs = 120_000;

export class LiveProgress {
  readonly #pace = new Pace();
  readonly #isTerminal = process.stdout.isTTY === true;
  #shownAtMs = 0;
  #shownPhase = '';
  #shownWarnings = 0;

  update(progress: Progress): void {
    const now = Date.now();
    this.#warn(progress);
    const secondsLeft = this.#pace.secondsLeft(progress, now);
    if (this.#isTerminal) {
      this.#explainWait(progress);
      const line = progressLine(progress, secondsLeft, 16).slice(0, (process.stdout.columns ?? 100) - 1);
      process.stdout.write(`\r\u001b[K${line}`);
    } else if (this.#isWorthALine(progress, now)) {
      process.stdout.write(`${progressLine(progress, secondsLeft, 0)}\n`);
      this.#shownAtMs = now;
      this.#shownPhase = phaseOf(progress);
    }
  }

  /** The line that is rewritten is cut at the terminal's width; why a run waits, and what to do, must be read in full. */
  #explainWait(progress: Progress): void {
    const phase = phaseOf(progress);
    if (progress.reason !== undefined && phase !== this.#shownPhase) this.say(progressLine(progress, undefined, 0));
    this.#shownPhase = phase;
  }

  #warn({ warnings = [] }: Progress): void {
    for (const warning of warnings.slice(this.#shownWarnings)) this.say(`warning: ${warning}`);
    this.#shownWarnings = warnings.length;
  }

  /** A line of its own, above the progress. */
  say(line: string): void {
    process.stdout.write(`${this.#isTerminal ? '\r\u001b[K' : ''}${line}\n`);
  }

  end(): void {
    if (this.#isTerminal) process.stdout.write('\r\u001b[K');
  }

  #isWorthALine(progress: Progress, now: number): boolean {
    return phaseOf(progress) !== this.#shownPhase || now - this.#shownAtMs >= (countOf(progress) ? plainEveryMs : waitingEveryMs);
  }
}

/** Rollouts and update alternate every second: one phase for this purpose. */
function phaseOf(progress: Progress): string {
  return countOf(progress)?.unit ?? `${progress.phase} ${progress.reason ?? ''}`;
}
