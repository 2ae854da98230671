/**
 * @file When waiting rows join. Turns of many rollouts arrive one by one, and a step costs almost the same for one row as for eight: while
 * calls keep coming, rows wait a moment for one another, unless as many as have lately been under way at once are there already. So neither a
 * lone call waits nor callers who each come again after their answer. What is decoded does not depend on any of it.
 */

/** So many calls within a second are a stream worth waiting for. */
const streamCalls = 40;
const streamMs = 1000;

interface Arrival {
  readonly at: number;
  /** Calls waiting or being decoded, this one among them. */
  readonly underWay: number;
}

export class Gathering {
  readonly #longestWaitMs: number;
  readonly #fullRows: number;
  /** The latest calls, oldest first. */
  readonly #arrivals: Arrival[] = [];
  #waiting = 0;
  /** When the row that has waited longest will have waited enough. */
  #due = 0;

  constructor(longestWaitMs: number, fullRows: number) {
    this.#longestWaitMs = longestWaitMs;
    this.#fullRows = fullRows;
  }

  arrived(now: number, underWay: number): void {
    const isMost = this.#arrivals.every((earlier) => earlier.underWay <= underWay);
    this.#arrivals.push({ at: now, underWay });
    if (this.#arrivals.length > streamCalls) this.#arrivals.shift();
    const isStream = this.#arrivals.length === streamCalls && now - (this.#arrivals[0] as Arrival).at < streamMs;
    const due = isStream ? now + this.#longestWaitMs : now;
    this.#due = this.#waiting === 0 ? due : Math.min(this.#due, due);
    this.#waiting += 1;
    if (isMost || this.#waiting >= this.#fullRows) this.#due = now;
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
