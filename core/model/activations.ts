/** @file What a pass of training holds beside weights, gradients and moments, and how many tokens are therefore computed at once. */
import { largestMicroBatchTokens } from '../run/config.ts';
import type { ModelConfig } from './config.ts';

/**
 * Measured without memory patterns: resident memory of a process beyond its weights, moments and gradients ÷ the tensors that one pass needs;
 * 1.13 on S and 1.27 on M with 4,096 tokens, 1.2 on M with 1,024.
 */
const arenaFactor = 1.3;

/** The same on every machine: how rows are put together is part of the last bits of a run. */
const mostActivationBytes = 4e9;

/**
 * Estimate for `tokens` that attend to `attended` keys each: per layer the projections, the attention and the feed-forward, forward and
 * backward, and the logits as if every token were trained.
 */
export function activationBytes(
  { hiddenSize, intermediateSize, headCount, headDim, layerCount, vocabSize }: ModelConfig,
  tokens: number,
  attended: number,
): number {
  const perLayer = 8 * hiddenSize + 4 * headCount * headDim + 4 * intermediateSize + headCount * attended;
  return arenaFactor * Float32Array.BYTES_PER_ELEMENT * tokens * (layerCount * perLayer + 4 * vocabSize);
}

/** Padded tokens of a micro-batch of rows of this length at most; a longer row is computed alone. */
export function microBatchLimit(config: ModelConfig, longestRow: number): number {
  return Math.min(largestMicroBatchTokens, Math.floor(mostActivationBytes / activationBytes(config, 1, longestRow)));
}

/** Of the largest micro-batch that rows up to this length make. */
export function largestActivationBytes(config: ModelConfig, longestRow: number): number {
  return activationBytes(config, Math.max(longestRow, microBatchLimit(config, longestRow)), longestRow);
}
