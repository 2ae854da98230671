/**
 * @file Computed chunks of token prefixes, shared by siblings and turns. A chunk's keys and values depend on the tokens up to its end and on
 * the policy version, and its key is their hash. Least recently used chunks go first when the bytes run out.
 */
import { createHash } from 'node:crypto';
import { cacheBlock } from '../../../core/model/decodeGraph.ts';
import type { ComputedTokens } from './keyValueCache.ts';

/** A stretch of a prefix that is computed at once: aligned to `cacheBlock`, the last one may be shorter. */
export interface Chunk {
  readonly key: string;
  readonly start: number;
  readonly tokens: Int32Array;
}

/** Cuts a prefix; every key is a hash of the policy and of all tokens up to the chunk's end. */
export function chunksOf(policy: string, prefix: Int32Array): Chunk[] {
  const chunks: Chunk[] = [];
  let key = policy;
  for (let start = 0; start < prefix.length; start += cacheBlock) {
    const tokens = prefix.slice(start, start + cacheBlock);
    key = createHash('sha256').update(key).update('\n').update(new Uint8Array(tokens.buffer)).digest('base64');
    chunks.push({ key, start, tokens });
  }
  return chunks;
}

export class PrefixCache {
  readonly #byteLimit: number;
  /** In the order of use. */
  readonly #chunks = new Map<string, ComputedTokens>();
  #bytes = 0;

  constructor(byteLimit: number) {
    this.#byteLimit = byteLimit;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  get(key: string): ComputedTokens | undefined {
    const found = this.#chunks.get(key);
    if (found === undefined) return undefined;
    this.#chunks.delete(key);
    this.#chunks.set(key, found);
    return found;
  }

  set(key: string, computed: ComputedTokens): void {
    if (this.#chunks.has(key)) return;
    this.#chunks.set(key, computed);
    this.#bytes += computed.data.byteLength;
    for (const [oldest, { data }] of this.#chunks) {
      if (this.#bytes <= this.#byteLimit) return;
      this.#chunks.delete(oldest);
      this.#bytes -= data.byteLength;
    }
  }
}
