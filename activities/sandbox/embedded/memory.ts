/**
 * @file Sessions as images of linear memory. One interpreter is loaded once; a session is the set of 4 KiB pages in which it differs from the loaded interpreter.
 * Changing sessions writes those pages, so that a session shares nothing with its neighbours: not modules, not objects, not even addresses.
 */
import type { WebAssemblyInstance } from './boundary.ts';

const pageBytes = 4096;
/** Compared at once; most of memory is clean, and one long comparison is fifteen times cheaper than sixteen short ones. */
const blockBytes = 16 * pageBytes;
const zeroBlock = Buffer.alloc(blockBytes);

export interface Image {
  /** Of this process; two images with one id are the same. */
  readonly id: number;
  /** Offsets of the pages, ascending. */
  readonly offsets: Uint32Array;
  /** Their bytes, one after another. */
  readonly pages: Buffer;
  readonly entropy: number;
}

/** The loaded interpreter, and what a session starts from. */
export const baselineImage: Image = { id: 0, offsets: new Uint32Array(0), pages: Buffer.alloc(0), entropy: 1 };

export class LinearMemory {
  readonly #exports: WebAssemblyInstance['exports'];
  readonly #stackPointer: number;
  #baseline: Buffer;
  /** Blocks of the baseline that are zero, the unused stack above all: comparing them reads one stream of memory instead of two. */
  readonly #isZero: readonly boolean[];
  #lastId = baselineImage.id;
  /** End of what was ever used since memory last matched the baseline. */
  #usedEnd: number;

  constructor(instance: WebAssemblyInstance) {
    this.#exports = instance.exports;
    this.#stackPointer = this.#call('emscripten_stack_get_current');
    const memory = Buffer.from(this.#exports.memory.buffer);
    // What calls left behind below the stack pointer means nothing any more.
    memory.fill(0, this.#call('emscripten_stack_get_end'), this.#stackPointer);
    this.#baseline = Buffer.from(memory);
    this.#isZero = Array.from({ length: Math.floor(memory.byteLength / blockBytes) }, (_, index) => isZero(memory, index * blockBytes));
    this.#usedEnd = this.#call('sbrk', 0);
  }

  /** Memory as the pages in which it differs from the baseline. */
  image(entropy: number): Image {
    const offsets = this.changedPages();
    const memory = this.#bytes();
    const pages = Buffer.allocUnsafeSlow(offsets.length * pageBytes);
    forEachRun(offsets, (first, end) => {
      const start = offsets[first] as number;
      memory.copy(pages, first * pageBytes, start, start + (end - first) * pageBytes);
    });
    this.#lastId += 1;
    return { id: this.#lastId, offsets, pages, entropy };
  }

  /** Makes memory that of `image`, where it differs from the baseline in the pages `changed` and no others. */
  load({ offsets, pages }: Image, changed: Uint32Array): void {
    this.#exports['_emscripten_stack_restore']?.(this.#stackPointer);
    const memory = this.#bytes();
    forEachRun(without(changed, offsets), (_first, _end, start, stop) => {
      this.#baseline.copy(memory, start, start, stop);
    });
    forEachRun(offsets, (first, end, start) => {
      pages.copy(memory, start, first * pageBytes, end * pageBytes);
    });
    this.#usedEnd = this.#call('sbrk', 0);
  }

  /** Offsets of the pages in which memory differs from the baseline, ascending. Compares all of it: a cell that corrupts its interpreter may have written anywhere. */
  changedPages(): Uint32Array {
    const memory = this.#bytes();
    this.#usedEnd = Math.max(this.#usedEnd, this.#call('sbrk', 0));
    const end = Math.min(memory.byteLength, Math.ceil(this.#usedEnd / pageBytes) * pageBytes);
    const offsets: number[] = [];
    for (let block = 0; block < end; block += blockBytes) {
      const blockEnd = Math.min(block + blockBytes, end);
      const isZeroBlock = this.#isZero[block / blockBytes] ?? true;
      if (isZeroBlock ? isZero(memory, block, blockEnd) : this.#same(memory, block, blockEnd)) continue;
      for (let page = block; page < blockEnd; page += pageBytes) if (!this.#same(memory, page, page + pageBytes)) offsets.push(page);
    }
    return Uint32Array.from(offsets);
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
    return exported(...values) >>> 0;
  }
}

function isZero(memory: Buffer, start: number, end = start + blockBytes): boolean {
  return zeroBlock.compare(memory, start, end, 0, end - start) === 0;
}

/** Neighbouring pages together: `use(first, end, start, stop)` with indices [first, end) and bytes [start, stop). */
function forEachRun(offsets: Uint32Array, use: (first: number, end: number, start: number, stop: number) => void): void {
  for (let first = 0; first < offsets.length; ) {
    const start = offsets[first] as number;
    let end = first + 1;
    while (offsets[end] === start + (end - first) * pageBytes) end += 1;
    use(first, end, start, start + (end - first) * pageBytes);
    first = end;
  }
}

/** What is in `all` and not in `removed`; both ascending. */
function without(all: Uint32Array, removed: Uint32Array): Uint32Array {
  let next = 0;
  return all.filter((offset) => {
    while (next < removed.length && (removed[next] as number) < offset) next += 1;
    return removed[next] !== offset;
  });
}
