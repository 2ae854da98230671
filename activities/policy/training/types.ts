/** @file What the trainer activities ask of the training engine; its compute runs in a worker thread. */
import type { AdamMoments, ModelConfig, OptimizerStep, Weights } from '../../../core/model/config.ts';
import type { BatchRow } from '../../../core/run/batch.ts';
import type { LossConfig } from '../../../core/run/config.ts';

/** One demonstration: `lossWeights[t]` weighs the prediction of token t (0: not trained on). */
export interface SupervisedRow {
  readonly tokens: Int32Array;
  readonly lossWeights: Float32Array;
}

export interface SupervisedMetrics {
  readonly loss: number;
  readonly gradNorm: number;
  readonly tokens: number;
}

export interface PolicyMetrics {
  readonly loss: number;
  readonly gradNorm: number;
  /** Mean over sampled tokens, nats. */
  readonly entropy: number;
  readonly clipFraction: number;
  /** klK3 between behaviour and updated policy at the start of the update (policy ‖ behaviour). */
  readonly kl: number;
  /** klK3 of policy ‖ reference at the same place; null without a KL coefficient. */
  readonly referenceKl: number | null;
  /** |policy − behaviour| log-probability before the first optimiser step. */
  readonly logprobDifferenceMax: number;
  readonly logprobDifferenceMean: number;
  readonly sampledTokens: number;
  readonly paddedTokens: number;
}

export interface PolicyStepOptions {
  readonly loss: LossConfig;
  readonly temperature: number;
  readonly optimizer: OptimizerStep;
  readonly passes: number;
  readonly minibatches: number;
  readonly microBatchTokens: number;
  /** @throws LogprobGateClosed before any weight changes when logprobDifferenceMax is above this. */
  readonly maxLogprobDifference: number;
  readonly signal: AbortSignal;
}

export interface TrainingEngine {
  /** Takes the weights over; `moments` null starts the optimiser at zero. */
  load(config: ModelConfig, weights: Weights, moments: AdamMoments | null): Promise<void>;
  supervisedStep(rows: readonly SupervisedRow[], optimizer: OptimizerStep, signal: AbortSignal): Promise<SupervisedMetrics>;
  policyStep(rows: readonly BatchRow[], options: PolicyStepOptions): Promise<PolicyMetrics>;
  /** A copy of the state, for a checkpoint. */
  state(): Promise<{ readonly weights: Weights; readonly moments: AdamMoments }>;
  close(): Promise<void>;
}
