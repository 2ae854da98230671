/** @file Text up to the first of some stop texts. What may be the beginning of one is held back until it is known. */

export class StopText {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** What may be shown now. After `stopped` nothing follows. */
  push(text: string): { readonly text: string; readonly stopped: boolean } {
    this.#held += text;
    const found = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at !== -1);
    if (found.length > 0) return { text: this.#held.slice(0, Math.min(...found)), stopped: true };
    const kept = Math.max(0, ...this.#stops.map((stop) => overlap(this.#held, stop)));
    const shown = this.#held.slice(0, this.#held.length - kept);
    this.#held = this.#held.slice(shown.length);
    return { text: shown, stopped: false };
  }

  /** What was held back, when no text follows. */
  end(): string {
    return this.#held;
  }
}

/** Length of the longest end of `text` with which `stop` begins. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
