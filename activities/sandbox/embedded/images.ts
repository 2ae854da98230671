/** @file Images of sessions that are not in memory, within a budget of bytes. */
import type { Image } from './memory.ts';

/** The one not used for longest is dropped first: a session is replayed by its owner, a setup is run again. */
export class ImageStore {
  readonly #byteBudget: number;
  /** The one not used for longest first. */
  readonly #images = new Map<string, Image>();
  #byteLength = 0;

  constructor(byteBudget: number) {
    this.#byteBudget = byteBudget;
  }

  get(key: string): Image | undefined {
    const image = this.#images.get(key);
    if (image === undefined) return undefined;
    this.#images.delete(key);
    this.#images.set(key, image);
    return image;
  }

  keep(key: string, image: Image): void {
    this.forget(key);
    this.#images.set(key, image);
    this.#byteLength += image.pages.byteLength;
    for (const [oldest] of this.#images) {
      if (this.#byteLength <= this.#byteBudget) return;
      this.forget(oldest);
    }
  }

  forget(key: string): void {
    this.#byteLength -= this.#images.get(key)?.pages.byteLength ?? 0;
    this.#images.delete(key);
  }
}
