/**
 * @file Sessions as images of linear memory. One interpreter is loaded once; a session is the set of 4 KiB pages in which it differs from the loaded interpreter.
 * Changing sessions writes those pages, so that a session shares nothing with its neighbours: not modules, not objects, not even addresses.
 */
import type { WebAssemblyInstance } from './boundary.ts';

const pageBytes = 4096;
/** Compared at once; most of memory is clean, and one long comparison is fifteen times cheaper than sixteen short ones. */
const blockBytes = 16 * pageBytes;

export interface Image {
  /** Offsets of the pages, ascending. */
  readonly offsets: Uint32Array;
  /** Their bytes, one after another. */
  readonly pages: Buffer;
  readonly entropy: number;
}

export class LinearMemory {
  readonly #exports: WebAssemblyInstance['exports'];
  readonly #stackPointer: number;
  #baseline: Buffer;
  /** End of what was ever used since memory last matched the baseline. */
  #usedEnd: number;

  constructor(instance: WebAssemblyInstance) {
    this.#exports = instance.exports;
    this.#stackPointer = this.#call('emscripten_stack_get_current');
    this.#baseline = Buffer.from(Buffer.from(this.#exports.memory.buffer));
    this.#usedEnd = this.#call('sbrk', 0);
  }

  /** The pages in which memory differs from the baseline. */
  image(entropy: number): Image {
    const offsets = this.#changedPages();
    const memory = this.#bytes();
    const pages = Buffer.allocUnsafeSlow(offsets.length * pageBytes);
    offsets.forEach((offset, index) => {
      memory.copy(pages, index * pageBytes, offset, offset + pageBytes);
    });
    return { offsets: Uint32Array.from(offsets), pages, entropy };
  }

  /** Makes memory that of `image`, or of the baseline. `changed` is the image of what is there now, when it is known. */
  restore(image: Image | undefined, changed?: Image): void {
    this.#exports['_emscripten_stack_restore']?.(this.#stackPointer);
    const memory = this.#bytes();
    for (const offset of changed?.offsets ?? this.#changedPages()) this.#baseline.copy(memory, offset, offset, offset + pageBytes);
    image?.offsets.forEach((offset, index) => {
      image.pages.copy(memory, offset, index * pageBytes, (index + 1) * pageBytes);
    });
    this.#usedEnd = this.#call('sbrk', 0);
  }

  #changedPages(): number[] {
    const memory = this.#bytes();
    this.#usedEnd = Math.max(this.#usedEnd, this.#call('sbrk', 0));
    const end = Math.min(memory.byteLength, Math.ceil(this.#usedEnd / pageBytes) * pageBytes);
    const offsets: number[] = [];
    for (let block = 0; block < end; block += blockBytes) {
      const blockEnd = Math.min(block + blockBytes, end);
      if (this.#same(memory, block, blockEnd)) continue;
      for (let page = block; page < blockEnd; page += pageBytes) if (!this.#same(memory, page, page + pageBytes)) offsets.push(page);
    }
    return offsets;
  }

  #same(memory: Buffer, start: number, end: number): boolean {
    return this.#baseline.compare(memory, start, end, start, end) === 0;
  }

  /** Memory as it is now (growing detaches older views), with the baseline zero-extended to its size. */
  #bytes(): Buffer {
    const memory = Buffer.from(this.#exports.memory.buffer);
    if (this.#baseline.byteLength < memory.byteLength) {
      const extended = Buffer.alloc(memory.byteLength);
      this.#baseline.copy(extended);
      this.#baseline = extended;
    }
    return memory;
  }

  #call(name: string, ...values: number[]): number {
    const exported = this.#exports[name];
    if (exported === undefined) throw new Error(`interpreter: expected the export ${name}; this pyodide is another than the one of package.json`);
    return exported(...values);
  }
}
