/** @file What the main thread and the decoding thread tell each other. */
import type { WeightPrecision } from '../../../core/model/quantisation.ts';
import type { DecodingRequest, Generation, WatchedToken } from './decodingRequest.ts';

/** A policy version on disk. */
export interface PolicyDirectory {
  /** Equal keys mean equal weights, for ever: the sha-256 of the checkpoint's manifest. */
  readonly key: string;
  /** Hugging Face directory. */
  readonly path: string;
  /** How its weights are held; absent: float32, as they are trained. */
  readonly weights?: WeightPrecision;
}

export type ToThread =
  | { readonly kind: 'generate'; readonly id: number; readonly policy: PolicyDirectory; readonly request: DecodingRequest }
  | { readonly kind: 'cancel'; readonly id: number };

export type FromThread =
  | { readonly kind: 'generated'; readonly id: number; readonly generation: Generation }
  /** One step's tokens of watched rows. */
  | { readonly kind: 'sampled'; readonly tokens: readonly { readonly id: number; readonly token: WatchedToken }[] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError };

/** An error on its way between threads: structured cloning would lose its name. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

export function plainError({ name, message, stack }: Error): PlainError {
  return { name, message, ...(stack === undefined ? {} : { stack }) };
}

export interface DecodingOptions {
  /** Rows of one decoding batch; more calls wait. */
  readonly maxRows: number;
  /** How long rows wait for one another at most, while calls keep coming. */
  readonly gatherMs: number;
  /** Policy versions kept ready; one that is held with two precisions counts twice. */
  readonly maxPolicies: number;
  /** Bytes of computed prefixes kept, over all policies; each has an equal share. */
  readonly prefixCacheBytes: number;
}
