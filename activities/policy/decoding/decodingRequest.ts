/** @file What is asked of the decoder and what it answers. */
import type { WeightPrecision } from '../../../core/model/quantisation.ts';
import type { SampledToken, SamplingRule } from '../../../core/model/sampling.ts';
import type { FinishReason } from '../../../core/rollout/types.ts';

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
  /** Of the model that sampled, as it was loaded: not as it was asked for. */
  readonly weights: WeightPrecision;
}

export type Finished = { readonly id: number; readonly generation: Generation } | { readonly id: number; readonly error: Error };

export function assertFits({ context, maxTokens }: DecodingRequest, maxPositions: number, vocabSize: number): void {
  if (context.length === 0) throw new Error('decoding: expected at least one context token, got none');
  if (maxTokens < 1) throw new Error(`decoding: expected maxTokens ≥ 1, got ${maxTokens}`);
  if (context.length + maxTokens > maxPositions) {
    throw new Error(`decoding: expected at most ${maxPositions} positions, got ${context.length} context tokens and ${maxTokens} to sample`);
  }
  const unknown = context.find((token) => token < 0 || token >= vocabSize);
  if (unknown !== undefined) throw new Error(`decoding: expected token ids below the model's vocabulary of ${vocabSize}, got ${unknown}`);
}
