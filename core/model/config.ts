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
  /** Llama 3's stretched rotary frequencies; absent: plain. */
  readonly ropeScaling?: RopeScaling;
  readonly tieWordEmbeddings: boolean;
  /** Bias on the query, key and value projections (Qwen2). */
  readonly attentionBias: boolean;
  /** RMSNorm on every query and key head (Qwen3). */
  readonly queryKeyNorm: boolean;
  readonly maxPositions: number;
}

export interface RopeScaling {
  readonly type: 'llama3';
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalMaxPositions: number;
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** By Hugging Face tensor name, for example `model.layers.0.self_attn.q_proj.weight` (shape [out, in]), in the order of the model. */
export type Weights = ReadonlyMap<string, Tensor>;

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
