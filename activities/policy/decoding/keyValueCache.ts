/**
 * @file Keys and values of token rows, laid out as the graphs of core/model/decodeGraph.ts read them: rows side by side, each token of a row in
 * the slot of its number. Slots are padded to a multiple of `cacheBlock`; which of them a row sees is the feeder's affair.
 */
import type { ModelConfig } from '../../../core/model/config.ts';
import { cacheBlock } from '../../../core/model/decodeGraph.ts';
import type { Feed } from '../ort/session.ts';

/** Keys and values of consecutive tokens of one row, as the graphs put them out: per layer keys [kv, T, headDim], then values. */
export interface ComputedTokens {
  readonly data: Float32Array;
  /** T of the layout; the first `count` tokens are real. */
  readonly width: number;
  readonly count: number;
}

const mostIdleBytes = 64 * 2 ** 20;

export const slotsFor = (tokens: number) => Math.max(cacheBlock, Math.ceil(tokens / cacheBlock) * cacheBlock);

export class KeyValueCache {
  readonly #config: ModelConfig;
  /** [rows, kv, slots, headDim] each: the keys of a layer, its values, those of the next layer. */
  #parts: Float32Array[];
  #capacity: number;
  #slots: number;

  constructor(config: ModelConfig, rows: number, slots = cacheBlock) {
    this.#config = config;
    this.#capacity = rows;
    this.#slots = slots;
    this.#parts = this.#emptyParts(rows, slots);
  }

  get slots(): number {
    return this.#slots;
  }

  get byteLength(): number {
    return this.#parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Makes room for this many rows and `tokens` slots, no fewer than any row has in use. Changing slots copies everything: they shrink only to less than half. */
  reserve(rows: number, tokens: number): void {
    const needed = slotsFor(tokens);
    const slots = needed > this.#slots || needed < this.#slots / 2 ? needed : this.#slots;
    if (rows <= this.#capacity && slots === this.#slots) return;
    const capacity = rows <= this.#capacity ? this.#capacity : Math.max(rows, 2 * this.#capacity);
    const parts = this.#emptyParts(capacity, slots);
    this.#parts.forEach((part, i) => {
      this.#copyHeads(part, parts[i] as Float32Array, slots);
    });
    this.#parts = parts;
    this.#capacity = capacity;
    this.#slots = slots;
  }

  /** For when nobody decodes: after long or many rows everything goes, so that an idle policy holds little. */
  trim(rows: number): void {
    if (this.byteLength <= mostIdleBytes) return;
    this.#capacity = rows;
    this.#slots = cacheBlock;
    this.#parts = this.#emptyParts(rows, cacheBlock);
  }

  /** Forgets a row. Zeroes, although nobody sees its slots any longer: 0 times what was left there must be 0. */
  clear(row: number): void {
    const size = this.#rowSize();
    for (const part of this.#parts) part.fill(0, row * size, (row + 1) * size);
  }

  /** Puts row `from` in the place of row `to` and clears `from`. */
  move(from: number, to: number): void {
    const size = this.#rowSize();
    for (const part of this.#parts) part.copyWithin(to * size, from * size, (from + 1) * size);
    this.clear(from);
  }

  /** Writes chunks one after the other, from the first slot on. */
  writeAll(row: number, chunks: readonly ComputedTokens[]): void {
    let start = 0;
    for (const chunk of chunks) {
      this.write(row, start, chunk);
      start += chunk.count;
    }
  }

  /** Writes tokens into slots `start` … of a row. */
  write(row: number, start: number, { data, width, count }: ComputedTokens): void {
    const { kvHeadCount, headDim } = this.#config;
    const slots = this.#slots;
    let offset = 0;
    for (const part of this.#parts) {
      for (let head = 0; head < kvHeadCount; head++, offset += width * headDim) {
        copyInto(part, ((row * kvHeadCount + head) * slots + start) * headDim, data, offset, count * headDim);
      }
    }
  }

  /** Writes one token a row, into the slots of these numbers. Part by part: the places of a token lie far apart, and walking so takes half the time. */
  writeStep(tokens: Float32Array, slots: readonly number[]): void {
    const { kvHeadCount, headDim } = this.#config;
    const partSize = kvHeadCount * headDim;
    const rowSize = this.#parts.length * partSize;
    this.#parts.forEach((part, i) => {
      slots.forEach((slot, row) => {
        for (let head = 0; head < kvHeadCount; head++) {
          copyInto(part, ((row * kvHeadCount + head) * this.#slots + slot) * headDim, tokens, row * rowSize + i * partSize + head * headDim, headDim);
        }
      });
    });
  }

  /**
   * Inputs for the first `rows` rows of `layers` layers: keys under `names[0]`.l, values under `names[1]`.l, as [rows, kv, …perHead, slots, headDim].
   * `perHead`: axes of one, to meet queries that have some there.
   */
  feeds(rows: number, layers: number, [keys, values]: readonly [string, string], perHead: readonly 1[] = []): Record<string, Feed> {
    const { kvHeadCount, headDim } = this.#config;
    const size = rows * this.#rowSize();
    const shape = [rows, kvHeadCount, ...perHead, this.#slots, headDim];
    const feed = (part: number): Feed => ({ data: (this.#parts[part] as Float32Array).subarray(0, size), shape });
    const feeds: Record<string, Feed> = {};
    for (let layer = 0; layer < layers; layer++) {
      feeds[`${keys}.${layer}`] = feed(2 * layer);
      feeds[`${values}.${layer}`] = feed(2 * layer + 1);
    }
    return feeds;
  }

  #rowSize(): number {
    return this.#config.kvHeadCount * this.#config.headDim * this.#slots;
  }

  #emptyParts(rows: number, slots: number): Float32Array[] {
    const { layerCount, kvHeadCount, headDim } = this.#config;
    return Array.from({ length: 2 * layerCount }, () => new Float32Array(rows * kvHeadCount * slots * headDim));
  }

  /** Copies what every head of every row has into an array with another number of slots. */
  #copyHeads(from: Float32Array, to: Float32Array, slots: number): void {
    const { kvHeadCount, headDim } = this.#config;
    const kept = Math.min(slots, this.#slots) * headDim;
    for (let head = 0; head < this.#capacity * kvHeadCount; head++) copyInto(to, head * slots * headDim, from, head * this.#slots * headDim, kept);
  }
}

/** Short copies by element: `set` of a subarray costs more than it moves. */
function copyInto(target: Float32Array, at: number, source: Float32Array, from: number, length: number): void {
  if (length > 64) target.set(source.subarray(from, from + length), at);
  else for (let i = 0; i < length; i++) target[at + i] = source[from + i] as number;
}
