/**
 * @file Continuous batching for one policy version: rows join between steps, get their prefix computed, decode side by side, and leave when
 * they finish. A row's tokens and log-probabilities depend on its request alone.
 */
import { likeliestTokens, type SampledToken, Sampler, type SamplingRule } from '../../../core/model/sampling.ts';
import { type Random, randomOf } from '../../../core/random.ts';
import type { FinishReason } from '../../../core/rollout/types.ts';
import { KeyValueCache, slotsFor } from './keyValueCache.ts';
import type { PolicyModel } from './policyModel.ts';
import { computePrefixes } from './prefill.ts';
import type { PrefixCache } from './prefixCache.ts';

export interface DecodingRequest {
  /** Everything that the policy sees, at least one token. */
  readonly context: Int32Array;
  readonly seed: number;
  readonly rule: SamplingRule;
  /** At least 1; context and sampled tokens together fit into the model's positions. */
  readonly maxTokens: number;
  /** Any of these ends the row; it is part of the sampled tokens. */
  readonly endTokens: readonly number[];
  /** Told token by token, each with this many of the likeliest tokens in its place; absent: only at its end. */
  readonly watchLikeliest?: number;
}

/** A token of a watched row, as soon as it is sampled. */
export interface WatchedToken extends SampledToken {
  readonly likeliest: readonly SampledToken[];
}

export interface Generation {
  readonly tokens: Int32Array;
  /** Natural log at temperature 1. */
  readonly logprobs: Float32Array;
  readonly finishReason: FinishReason;
}

export type Finished = { readonly id: number; readonly generation: Generation } | { readonly id: number; readonly error: Error };

interface Row {
  readonly id: number;
  readonly request: DecodingRequest;
  readonly random: Random;
  readonly tokens: number[];
  readonly logprobs: number[];
  /** Tokens in the cache; the next one is fed at this position. */
  length: number;
  nextToken: number;
}

/** `add` and `cancel` are called between two `advance`s only. */
export class DecodingBatch {
  readonly #model: PolicyModel;
  readonly #prefixes: PrefixCache;
  readonly #maxRows: number;
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
    this.#cache = new KeyValueCache(model.config, 2);
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
    return [...this.#waiting.keys(), ...this.#rows.map((row) => row.id)];
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
    this.#reserve(this.#rows.length, 1);
    const logits = await this.#step();
    const finished: Finished[] = [];
    // From the end, so that a place that is filled from the end was already looked at.
    for (let place = this.#rows.length - 1; place >= 0; place--) {
      const done = this.#sample(this.#rows[place] as Row, logits.subarray(place * this.#model.config.vocabSize, (place + 1) * this.#model.config.vocabSize));
      if (done === undefined) continue;
      finished.push(done);
      this.#remove(place);
    }
    return finished;
  }

  async #admit(): Promise<void> {
    const joining = [...this.#waiting].slice(0, this.#maxRows - this.#rows.length);
    if (joining.length === 0) return;
    const prefixes = joining.map(([, { context }]) => context.subarray(0, -1));
    const computed = await computePrefixes(this.#model, this.#prefixes, prefixes);
    joining.forEach(([id, request], i) => {
      this.#waiting.delete(id);
      const { context } = request;
      const place = this.#rows.length;
      const length = context.length - 1;
      this.#reserve(place + 1, length + 1);
      this.#cache.clear(place);
      let start = 0;
      for (const chunk of computed[i] ?? []) {
        this.#cache.write(place, start, chunk);
        start += chunk.count;
      }
      this.#rows.push({ id, request, random: randomOf(request.seed), tokens: [], logprobs: [], length, nextToken: context[length] as number });
    });
  }

  /** Room for the rows and for the longest of them. Changing it copies the whole cache: slots shrink only when fewer than half are in use. */
  #reserve(rows: number, tokens: number): void {
    const needed = slotsFor(Math.max(tokens, ...this.#rows.map((row) => row.length + 1)));
    const slots = needed > this.#cache.slots || needed < this.#cache.slots / 2 ? needed : this.#cache.slots;
    this.#cache.reserve(Math.max(2, rows), slots);
  }

  /** Runs the graph for every row's next token; answers with the logits [B, V]. */
  async #step(): Promise<Float32Array> {
    const count = Math.max(2, this.#rows.length); // one row alone would take another kernel; place 1 is then a masked dummy
    const [tokens, positions] = [new BigInt64Array(count), new BigInt64Array(count)];
    this.#rows.forEach((row, place) => {
      tokens[place] = BigInt(row.nextToken);
      positions[place] = BigInt(row.length);
    });
    const { logits, kv } = await this.#model.decode.run({
      tokens: { data: tokens, shape: [count, 1] },
      positions: { data: positions, shape: [count, 1] },
      ...this.#cache.feeds(count, this.#model.config.layerCount),
    });
    const size = (kv as Float32Array).length / count;
    this.#rows.forEach((row, place) => {
      const data = (kv as Float32Array).subarray(place * size, (place + 1) * size);
      this.#cache.write(place, row.length, { data, width: 1, count: 1 });
      row.length += 1;
    });
    return logits as Float32Array;
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
      const generation = { tokens: Int32Array.from(row.tokens), logprobs: Float32Array.from(row.logprobs), finishReason: ended ? 'stop' : 'length' } as const;
      return { id: row.id, generation };
    } catch (error) {
      return { id: row.id, error: error as Error };
    }
  }

  /** The last row takes the place. */
  #remove(place: number): void {
    const last = this.#rows.length - 1;
    const moved = this.#rows.pop() as Row;
    if (place !== last) {
      this.#rows[place] = moved;
      this.#cache.move(last, place);
    } else this.#cache.clear(place);
  }
}

function assertFits({ context, maxTokens }: DecodingRequest, maxPositions: number, vocabSize: number): void {
  if (context.length === 0) throw new Error('decoding: expected at least one context token, got none');
  if (maxTokens < 1) throw new Error(`decoding: expected maxTokens ≥ 1, got ${maxTokens}`);
  if (context.length + maxTokens > maxPositions) {
    throw new Error(`decoding: expected at most ${maxPositions} positions, got ${context.length} context tokens and ${maxTokens} to sample`);
  }
  const unknown = context.find((token) => token < 0 || token >= vocabSize);
  if (unknown !== undefined) throw new Error(`decoding: expected token ids below the model's vocabulary of ${vocabSize}, got ${unknown}`);
}
