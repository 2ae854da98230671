/**
 * @file Continuous batching for one policy version: rows join between steps, get their prefix computed, decode side by side, and leave when
 * they finish. A row's tokens and log-probabilities depend on its request alone.
 */
import { masked } from '../../../core/model/cachedAttention.ts';
import { likeliestTokens, Sampler } from '../../../core/model/sampling.ts';
import { type Random, randomOf } from '../../../core/random.ts';
import type { Feed } from '../ort/session.ts';
import { assertFits, type DecodingRequest, type Finished, type WatchedToken } from './decodingRequest.ts';
import { KeyValueCache } from './keyValueCache.ts';
import type { PolicyModel } from './policyModel.ts';
import { type ComputedPrefix, computePrefixes } from './prefill.ts';
import type { PrefixCache } from './prefixCache.ts';
import { type SharedContext, SharedContexts } from './sharedContexts.ts';

interface Row {
  readonly id: number;
  readonly request: DecodingRequest;
  readonly random: Random;
  readonly tokens: number[];
  readonly logprobs: number[];
  /** All but the last token of the request's context; none where that is short. */
  readonly context: SharedContext;
  /** Tokens in the row's own cache: what it has sampled, and before that a short context. */
  length: number;
  nextToken: number;
}

/** Shorter contexts are not worth a product of their own: every row has a copy. Must depend on nothing else, or a row's numbers would. */
const leastShared = 64;

/** `add` and `cancel` are called between two `advance`s only. */
export class DecodingBatch {
  readonly #model: PolicyModel;
  readonly #prefixes: PrefixCache;
  readonly #maxRows: number;
  /** Fewer would take other kernels; rows beyond those that decode are dummies. */
  readonly #leastRows: number;
  readonly #contexts: SharedContexts;
  /** Of the tokens after the contexts. */
  readonly #cache: KeyValueCache;
  readonly #sampler: Sampler;
  readonly #watch: (id: number, token: WatchedToken) => void;
  readonly #waiting = new Map<number, DecodingRequest>();
  /** The row's index is its place in the cache. */
  readonly #rows: Row[] = [];

  constructor(model: PolicyModel, prefixes: PrefixCache, maxRows: number, watch: (id: number, token: WatchedToken) => void = () => undefined) {
    this.#watch = watch;
    this.#model = model;
    this.#prefixes = prefixes;
    this.#maxRows = maxRows;
    this.#leastRows = Math.max(2, model.leastRows);
    this.#contexts = new SharedContexts(model.config, model.leastRows);
    this.#cache = new KeyValueCache(model.config, this.#leastRows);
    this.#sampler = new Sampler(model.config.vocabSize);
  }

  get idle(): boolean {
    return this.#waiting.size === 0 && this.#rows.length === 0;
  }

  /** Rows that decode. */
  get rowCount(): number {
    return this.#rows.length;
  }

  /** Of every row that waits or decodes. */
  get ids(): number[] {
    return [...new Set([...this.#waiting.keys(), ...this.#rows.map((row) => row.id)])];
  }

  add(id: number, request: DecodingRequest): void {
    assertFits(request, this.#model.config.maxPositions, this.#model.config.vocabSize);
    this.#waiting.set(id, request);
  }

  cancel(id: number): void {
    this.#waiting.delete(id);
    const place = this.#rows.findIndex((row) => row.id === id);
    if (place !== -1) this.#remove(place);
  }

  /** Admits what waits, if it may, decodes one token for every row, and answers with the rows that ended. */
  async advance(admit = true): Promise<Finished[]> {
    if (admit) await this.#admit();
    if (this.#rows.length === 0) return [];
    const logits = await this.#step();
    const { vocabSize } = this.#model.config;
    const finished: Finished[] = [];
    // From the end, so that a place that is filled from the end was already looked at.
    for (let place = this.#rows.length - 1; place >= 0; place--) {
      const done = this.#sample(this.#rows[place] as Row, logits.subarray(place * vocabSize, (place + 1) * vocabSize));
      if (done === undefined) continue;
      finished.push(done);
      this.#remove(place);
    }
    return finished;
  }

  async #admit(): Promise<void> {
    const joining = [...this.#waiting].slice(0, this.#maxRows - this.#rows.length);
    if (joining.length === 0) return;
    const contexts = joining.map(([, { context }]) => context.subarray(0, -1));
    const computed = await computePrefixes(this.#model, this.#prefixes, contexts);
    joining.forEach(([id, request], i) => {
      const { key, chunks } = computed[i] as ComputedPrefix;
      const length = request.context.length - 1;
      const own = { id, request, random: randomOf(request.seed), tokens: [], logprobs: [], nextToken: request.context[length] as number };
      if (length >= leastShared) this.#rows.push({ ...own, context: this.#contexts.join(key, length, chunks), length: 0 });
      else {
        this.#rows.push({ ...own, context: this.#contexts.join('', 0, []), length });
        this.#reserve();
        this.#cache.writeAll(this.#rows.length - 1, chunks);
      }
      // Last: one for which there is no memory is still among `ids`, and its caller is told.
      this.#waiting.delete(id);
    });
  }

  /** Room for every row's next token. */
  #reserve(): void {
    this.#cache.reserve(Math.max(this.#leastRows, this.#rows.length), Math.max(...this.#rows.map((row) => row.length + 1)));
  }

  /** Runs the graph for every row's next token; answers with the logits [B, V]. */
  async #step(): Promise<Float32Array> {
    const count = Math.max(this.#leastRows, this.#rows.length);
    this.#reserve();
    const [tokens, positions] = [new BigInt64Array(count), new BigInt64Array(count)];
    this.#rows.forEach((row, place) => {
      tokens[place] = BigInt(row.nextToken);
      positions[place] = BigInt(row.context.length + row.length);
    });
    const withoutContexts = this.#contexts.slots === 0 ? this.#model.decodeWithoutContexts : null;
    const { logits, kv } = await (withoutContexts ?? this.#model.decode).run({
      tokens: { data: tokens, shape: [count, 1] },
      positions: { data: positions, shape: [count, 1] },
      ...this.#visible(count, withoutContexts === null),
      ...(withoutContexts ? {} : this.#contextFeeds(count)),
      ...this.#cache.feeds(count, this.#model.config.layerCount, ['keys', 'values'], [1]),
    });
    this.#cache.writeStep(
      kv as Float32Array,
      this.#rows.map(({ length }) => length),
    );
    for (const row of this.#rows) row.length += 1;
    return logits as Float32Array;
  }

  #contextFeeds(count: number): Record<string, Feed> {
    const contexts = this.#rows.map(({ context }) => context);
    return this.#contexts.feeds(contexts, count);
  }

  /** What each row sees: its context, what it has sampled, and the token itself. */
  #visible(count: number, withContexts: boolean): Record<'mask' | 'parts', Feed> {
    const [contextSlots, ownSlots] = [this.#contexts.slots, this.#cache.slots];
    const width = contextSlots + ownSlots + 1;
    const mask = new Float32Array(count * width).fill(masked);
    for (let place = 0; place < count; place++) mask[(place + 1) * width - 1] = 0;
    this.#rows.forEach(({ context, length }, place) => {
      const start = place * width;
      mask.fill(0, start, start + context.length);
      mask.fill(0, start + contextSlots, start + contextSlots + length);
    });
    const parts = BigInt64Array.from([...(withContexts ? [contextSlots] : []), ownSlots, 1], BigInt);
    return { mask: { data: mask, shape: [count, 1, 1, 1, width] }, parts: { data: parts, shape: [parts.length] } };
  }

  #sample(row: Row, logits: Float32Array): Finished | undefined {
    const { rule, endTokens, maxTokens, watchLikeliest } = row.request;
    try {
      const { token, logprob } = this.#sampler.sample(logits, rule, row.random.next());
      row.tokens.push(token);
      row.logprobs.push(logprob);
      row.nextToken = token;
      if (watchLikeliest !== undefined) this.#watch(row.id, { token, logprob, likeliest: likeliestTokens(logits, watchLikeliest) });
      const ended = endTokens.includes(token);
      if (!ended && row.tokens.length < maxTokens) return undefined;
      const sampled = { tokens: Int32Array.from(row.tokens), logprobs: Float32Array.from(row.logprobs) };
      const generation = { ...sampled, finishReason: ended ? 'stop' : 'length', weights: this.#model.weights } as const;
      return { id: row.id, generation };
    } catch (error) {
      return { id: row.id, error: error as Error };
    }
  }

  /** The last row takes the place. */
  #remove(place: number): void {
    this.#contexts.leave((this.#rows[place] as Row).context);
    const last = this.#rows.length - 1;
    const moved = this.#rows.pop() as Row;
    if (place !== last) {
      this.#rows[place] = moved;
      this.#cache.move(last, place);
    } else this.#cache.clear(place);
    if (last === 0) this.#cache.trim(this.#leastRows);
  }
}
