/** @file What computes micro-batches: ONNX sessions of one model, which depend on its architecture alone and outlive its weights. */
import type { ModelConfig, Weights } from '../../../core/model/config.ts';
import type { FrozenBase } from '../../../core/model/lora.ts';
import type { TrainingGraphKind } from '../../../core/model/trainingGraph.ts';
import type { Feed, FeedArray } from '../ort/session.ts';
import type { GradientSum } from './gradientSum.ts';
import type { MicroBatch } from './microBatches.ts';

/** Called where a step may be given up; throws to stop it. */
export type CheckPoint = () => void;

/** One micro-batch on its way through a model. */
export interface Pass {
  readonly kind: TrainingGraphKind;
  readonly batch: MicroBatch;
  /** Its arrangement, its tokens, and what the loss needs of each trained token. */
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly weights: Weights;
  /** Where its gradients go. */
  readonly gradient: GradientSum;
  readonly check: CheckPoint;
}

/** `logprobs` of the trained tokens, and as the kind has them `entropy` and `loss`. */
export type PassOutputs = Readonly<Record<string, FeedArray>>;

export interface TrainingSessions {
  readonly config: ModelConfig;
  /** The model below an adapter; null where the whole model is trained. */
  readonly base: FrozenBase | null;
  readonly recomputesActivations: boolean;
  run(pass: Pass): Promise<PassOutputs>;
  release(): Promise<void>;
}
