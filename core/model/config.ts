/** @file The architecture of a decoder-only transformer, in one shape for every family, and the weights that go with it. */

export interface ModelConfig {
  /** Hugging Face `model_type`. */
  readonly modelType: 'qwen2' | 'qwen3' | 'llama' | 'mistral';
  readonly vocabSize: number; // V
  readonly hiddenSize: number; // D
  readonly layerCount: number; // L
  readonly headCount: number; // H
  readonly kvHeadCount: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  /** Stretched rotary frequencies; absent: plain. */
  readonly ropeScaling?: RopeScaling;
  readonly tieWordEmbeddings: boolean;
  /** Bias on the query, key and value projections (Qwen2; Llama and Qwen3 by choice). */
  readonly attentionBias: boolean;
  /** Bias on the projection of what attention found (Llama and Qwen3 by choice). */
  readonly outputBias: boolean;
  /** Bias on gate, up and down projections (Llama by choice). */
  readonly feedForwardBias: boolean;
  /** RMSNorm on every query and key head (Qwen3). */
  readonly queryKeyNorm: boolean;
  /** Longest context that is computed as the model means it. */
  readonly maxPositions: number;
  /** Present where a sliding window, not the rotary positions, limits the context: within it, attention is plain. */
  readonly slidingWindow?: number;
}

export type RopeScaling =
  | { readonly type: 'linear'; readonly factor: number }
  /** Llama 3: long wavelengths are slowed, short ones kept. */
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    }
  /** YaRN (arXiv 2309.00071). */
  | {
      readonly type: 'yarn';
      readonly factor: number;
      /** Cosines and sines are multiplied by it. */
      readonly attentionFactor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the blended range begins and ends at whole dimensions. */
      readonly wholeDimensions: boolean;
      readonly originalMaxPositions: number;
    };

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** By Hugging Face tensor name, for example `model.layers.0.self_attn.q_proj.weight` (shape [out, in]), in the order of the model. */
export type Weights = ReadonlyMap<string, Tensor>;

/** Float32 values in a file, row-major, little-endian. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** Name of the file in the folder of the model. */
  readonly location: string;
  readonly offset: number;
}

/** AdamW state by tensor name, and the number of optimiser steps it has seen. */
export interface AdamMoments {
  readonly step: number;
  readonly first: Weights;
  readonly second: Weights;
}

/** Settings of one optimiser step (AdamW, decoupled weight decay on matrices and vectors alike, as torch.optim.AdamW). */
export interface OptimizerStep {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
}
