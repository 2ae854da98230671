/**
 * @file When waiting rows join. Turns of many rollouts arrive one by one, and a step costs almost the same for one row as for eight: while
 * calls keep coming, rows wait a moment for one another. A lone call never waits, and what is decoded does not depend on any of it.
 */

/** So many calls within a second are a stream worth waiting for. */
const streamCalls = 40;
const streamMs = 1000;

export class Gathering {
  readonly #longestWaitMs: number;
  readonly #fullRows: number;
  /** Times of the latest calls, oldest first. */
  readonly #arrivals: number[] = [];
  #waiting = 0;
  /** When the row that has waited longest will have waited enough. */
  #due = 0;

  constructor(longestWaitMs: number, fullRows: number) {
    this.#longestWaitMs = longestWaitMs;
    this.#fullRows = fullRows;
  }

  arrived(now: number): void {
    this.#arrivals.push(now);
    if (this.#arrivals.length > streamCalls) this.#arrivals.shift();
    const isStream = this.#arrivals.length === streamCalls && now - (this.#arrivals[0] as number) < streamMs;
    const due = isStream ? now + this.#longestWaitMs : now;
    this.#due = this.#waiting === 0 ? due : Math.min(this.#due, due);
    this.#waiting += 1;
    if (this.#waiting >= this.#fullRows) this.#due = now;
  }

  /** Milliseconds until the waiting rows should join. */
  remainingMs(now: number): number {
    return Math.max(0, this.#due - now);
  }

  /** Everything that waited has joined, or goes on waiting for a place alone. */
  joined(): void {
    this.#waiting = 0;
    this.#due = 0;
  }
}
