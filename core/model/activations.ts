/** @file What a pass of training holds beside weights, gradients and moments, and how many tokens are therefore computed at once. */
import { largestMicroBatchTokens } from '../run/config.ts';
import type { ModelConfig } from './config.ts';

const float = Float32Array.BYTES_PER_ELEMENT;

/**
 * Measured without memory patterns: resident memory of a process beyond its weights, moments and gradients ÷ the tensors that one pass needs;
 * 1.13 on S and 1.27 on M with 4,096 tokens, 1.2 on M with 1,024.
 */
const arenaFactor = 1.3;

/** The same on every machine: how rows are put together is part of the last bits of a run. */
const mostActivationBytes = 4e9;

/**
 * Logits of one piece of the head, where it is computed in pieces, and tokens that a piece has at least. On the head of Qwen2.5-0.5B, forward
 * and backward, a token takes 4.3 ms in pieces of 64, 3.3 in those of 128, 3.2 of 220, 3.8 of 880. The same on every machine, too.
 */
const mostLogitBytes = 64 * 2 ** 20;
const leastHeadTokens = 128;

/**
 * Estimate for `tokens` that attend to `attended` keys each: per layer the projections, the attention and the feed-forward, forward and
 * backward, and the logits as if every token were trained.
 */
export function activationBytes(config: ModelConfig, tokens: number, attended: number): number {
  return arenaFactor * float * tokens * (config.layerCount * layerElements(config, attended) + 4 * config.vocabSize);
}

/** A session of one layer, forward and backward. */
function layerActivationBytes(config: ModelConfig, tokens: number, attended: number): number {
  return arenaFactor * float * tokens * 2 * layerElements(config, attended);
}

/** A session of the head. */
function headActivationBytes({ vocabSize }: ModelConfig, tokens: number): number {
  return arenaFactor * float * tokens * 4 * vocabSize;
}

/** Trained tokens that the head sees at once. */
export function headTokens({ vocabSize }: ModelConfig): number {
  return Math.max(leastHeadTokens, Math.floor(mostLogitBytes / (float * vocabSize)));
}

/** Kept of a token by the layers above. */
function layerElements({ hiddenSize, intermediateSize, headCount, headDim }: ModelConfig, attended: number): number {
  return 8 * hiddenSize + 4 * headCount * headDim + 4 * intermediateSize + headCount * attended;
}

/** Padded tokens of a micro-batch of rows of this length at most; a longer row is computed alone. */
export function microBatchLimit(config: ModelConfig, longestRow: number, recomputes = false): number {
  const perToken = recomputes ? layerActivationBytes(config, 1, longestRow) : activationBytes(config, 1, longestRow);
  return Math.min(largestMicroBatchTokens, Math.floor(mostActivationBytes / perToken));
}

/** Of the largest micro-batch that rows up to this length make. */
export function largestActivationBytes(config: ModelConfig, longestRow: number, recomputes = false): number {
  if (recomputes) return recomputedBytes(config, Math.max(longestRow, microBatchLimit(config, longestRow, true)), longestRow);
  return activationBytes(config, Math.max(longestRow, microBatchLimit(config, longestRow)), longestRow);
}

/** What ONNX Runtime itself holds once it has run: measured on S and M, where it is no longer small beside the activations. */
const runtimeBytes = 40e6;

/** Inputs of all layers, and one layer or one piece of the head at a time, as malloc leaves them scattered. */
function recomputedBytes(config: ModelConfig, tokens: number, attended: number): number {
  const inputs = float * tokens * config.hiddenSize * (config.layerCount + 2);
  const head = headActivationBytes(config, Math.min(tokens, headTokens(config)));
  return runtimeBytes + inputs + layerActivationBytes(config, tokens, attended) + head;
}
