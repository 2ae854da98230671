/**
 * @file Keys and values of token prefixes, in aligned chunks: several chunks a run, of different rows. What a chunk's numbers are does not
 * depend on which chunks share its run, so a turn that is generated again after a crash starts from the same cache.
 */
import { masked } from '../../../core/model/cachedAttention.ts';
import { type ComputedTokens, KeyValueCache, slotsFor } from './keyValueCache.ts';
import type { PolicyModel } from './policyModel.ts';
import { type Chunk, chunksOf, type PrefixCache } from './prefixCache.ts';

/** Chunks of one run at most: 16 × 32 tokens keep the run short enough for cancellation. */
const chunksPerRun = 16;
/** A run is as wide as its longest chunk, in steps of this: short prompts do not pay for 32 tokens. */
const widthStep = 16;

/** The tokens of one row that come before its first sampled one, being computed. */
interface PendingPrefix {
  readonly chunks: readonly Chunk[];
  readonly computed: ComputedTokens[];
}

export interface ComputedPrefix {
  /** Names the policy and all tokens. */
  readonly key: string;
  readonly chunks: readonly ComputedTokens[];
}

/** Computed chunks of every prefix, in order; each chunk once, however many prefixes share it. */
export async function computePrefixes(model: PolicyModel, cache: PrefixCache, prefixes: readonly Int32Array[]): Promise<ComputedPrefix[]> {
  const pending = prefixes.map((prefix): PendingPrefix => ({ chunks: chunksOf(model.key, prefix), computed: [] }));
  for (;;) {
    for (const prefix of pending) takeCached(prefix, cache);
    const next = missingChunks(pending);
    if (next.length === 0) return pending.map(({ chunks, computed }) => ({ key: chunks.at(-1)?.key ?? model.key, chunks: computed }));
    const results = await runChunks(model, next);
    next.forEach(({ chunk }, i) => {
      const result = results[i] as ComputedTokens;
      cache.set(chunk.key, result);
      // Directly, not through the cache: a small cache may have let it go already.
      for (const { chunks, computed } of pending) if (chunks[computed.length]?.key === chunk.key) computed.push(result);
    });
  }
}

function takeCached({ chunks, computed }: PendingPrefix, cache: PrefixCache): void {
  for (let next = chunks[computed.length]; next !== undefined; next = chunks[computed.length]) {
    const found = cache.get(next.key);
    if (found === undefined) return;
    computed.push(found);
  }
}

interface MissingChunk {
  readonly chunk: Chunk;
  readonly past: readonly ComputedTokens[];
}

function missingChunks(pending: readonly PendingPrefix[]): MissingChunk[] {
  const missing = new Map<string, MissingChunk>();
  for (const { chunks, computed } of pending) {
    const chunk = chunks[computed.length];
    if (chunk !== undefined && missing.size < chunksPerRun && !missing.has(chunk.key)) missing.set(chunk.key, { chunk, past: [...computed] });
  }
  return [...missing.values()];
}

async function runChunks(model: PolicyModel, missing: readonly MissingChunk[]): Promise<ComputedTokens[]> {
  const rows = Math.max(model.leastRows, missing.length);
  const width = Math.ceil(Math.max(...missing.map(({ chunk }) => chunk.tokens.length)) / widthStep) * widthStep;
  const past = new KeyValueCache(model.config, rows, slotsFor(Math.max(...missing.map(({ chunk }) => chunk.start))));
  const [tokens, positions] = [new BigInt64Array(rows * width), new BigInt64Array(rows * width)];
  const mask = new Float32Array(rows * past.slots).fill(masked);
  missing.forEach(({ chunk, past: before }, row) => {
    mask.fill(0, row * past.slots, row * past.slots + chunk.start);
    past.writeAll(row, before);
    chunk.tokens.forEach((token, i) => {
      tokens[row * width + i] = BigInt(token);
    });
    const last = model.config.maxPositions - 1;
    for (let i = 0; i < width; i++) positions[row * width + i] = BigInt(Math.min(chunk.start + i, last));
  });
  const { kv } = await model.prefill.run({
    tokens: { data: tokens, shape: [rows, width] },
    positions: { data: positions, shape: [rows, width] },
    ownMask: { data: causalMask(width), shape: [1, 1, 1, width, width] },
    mask: { data: mask, shape: [rows, 1, 1, past.slots] },
    ...past.feeds(rows, model.config.layerCount - 1, ['keys', 'values']),
  });
  const size = (kv as Float32Array).length / rows;
  return missing.map(({ chunk }, row) => ({ data: (kv as Float32Array).slice(row * size, (row + 1) * size), width, count: chunk.tokens.length }));
}

function causalMask(width: number): Float32Array {
  const mask = new Float32Array(width * width);
  for (let query = 0; query < width; query++) mask.fill(masked, query * width + query + 1, (query + 1) * width);
  return mask;
}
