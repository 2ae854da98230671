/** @file The macros: several nodes with one gradient rule, because the rule is shorter, faster or more stable than that of the parts. */
import type { Dim, Value } from './types.ts';

export interface Macros {
  /** x / rms(x) · weight over the last axis. Inputs: x, weight. */
  rmsNorm: { epsilon: number };
  /** Rotation of halves by position. Inputs: x [B, heads, T, headDim]. */
  rope: { tables: RopeTables };
  /** silu(gate) · up. Inputs: gate, up. */
  swiglu: { activated: Value };
  /** Causal grouped-query attention. Inputs: q [B, kv, g, T, headDim], k and v [B, kv, T, headDim]. */
  causalAttention: { scale: number; blocks: readonly AttentionBlock[] };
  /** Attention to a prefix and causally to a suffix. Inputs: q [P, kv, G, g · T, headDim], k and v [P, kv, G, T, headDim], of the prefix [P, kv, 1, S, headDim]. */
  prefixedAttention: PrefixedAttention;
  /** x [..., D] → one arrangement of its rows on each of several grids. Inputs: x. */
  spreadRows: GridPlaces;
  /** The way back: grids [..., D] → [...places, D]. Inputs: one a grid. */
  collectRows: GridPlaces;
  /** x [..., D] → [...rows, D]. No row of x is gathered twice, except as padding. Inputs: x. */
  gatherRows: RowGather;
  /** log softmax at the target, and the entropy. Inputs: logits [N, V], targets [N, 1]. Outputs: logprob [N, 1], entropy [N, 1]. */
  tokenLogprob: { logprobs: Value; probabilities: Value };
}

export type MacroName = keyof Macros;

/** Cosines and sines [T, headDim / 2]; `negativeSine` rotates back. */
export interface RopeTables {
  readonly cosine: Value;
  readonly sine: Value;
  readonly negativeSine: Value;
  /** int64 [1] or [B, T]: the position of the first token, or of each. */
  readonly positions: Value;
}

/** Whole rows moved from one arrangement into another, and the way back of their gradients. */
export interface RowGather {
  /** Integers of any shape: the row of x, in row-major order, that stands there. −1 is padding: any row, without a gradient. */
  readonly rows: Value;
  /** Integers of the shape of x without its last axis: where each row of x went, in row-major order of `rows`; −1 is nowhere. */
  readonly inverse: Value;
  /** Every row of x went somewhere: `inverse` has no −1. */
  readonly complete: boolean;
}

/** Where rows stand on several grids that together hold each of them once. */
export interface GridPlaces {
  /** A grid's cells as integers of any shape: the row that stands there, in row-major order; −1 is padding. */
  readonly cells: readonly Value[];
  /** Where each row stands, counted through all cells of all grids in their order. */
  readonly places: Value;
}

export interface PrefixedAttention {
  readonly scale: number;
  /** [P, kv, G, g · T, S] */
  readonly prefixProbabilities: Value;
  /** [P, kv, G, g · T, T] */
  readonly ownProbabilities: Value;
}

/** Queries start … end − 1 against keys 0 … end − 1: what lies above the diagonal of later blocks is never computed. */
export interface AttentionBlock {
  readonly start: number;
  readonly end: Dim;
  /** q of the block with the group folded into rows [B, kv, g · rows, headDim]. */
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  /** [B, kv, g · rows, end] */
  readonly probabilities: Value;
  /** [B, kv, g · rows, headDim] */
  readonly output: Value;
}
