/** @file Images of sessions that are not in memory, within a budget of bytes. */
import type { Image } from './memory.ts';

/** The entry not used for longest is dropped first: a session is replayed by its owner, a step is run again. */
export class ImageStore<Entry extends { readonly image: Image }> {
  readonly #byteBudget: number;
  /** The one not used for longest first. */
  readonly #entries = new Map<string, Entry>();
  #byteLength = 0;

  constructor(byteBudget: number) {
    this.#byteBudget = byteBudget;
  }

  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  keep(key: string, entry: Entry): void {
    this.forget(key);
    this.#entries.set(key, entry);
    this.#byteLength += entry.image.pages.byteLength;
    for (const [oldest] of this.#entries) {
      if (this.#byteLength <= this.#byteBudget) return;
      this.forget(oldest);
    }
  }

  forget(key: string): void {
    this.#byteLength -= this.#entries.get(key)?.image.pages.byteLength ?? 0;
    this.#entries.delete(key);
  }
}
