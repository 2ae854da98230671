/** @file What the engine and its thread say to one another. */
import type { AdamMoments, ModelConfig, OptimizerStep, Weights } from '../../../core/model/config.ts';
import type { FrozenBase } from '../../../core/model/lora.ts';
import type { BatchRow } from '../../../core/run/batch.ts';
import type { PolicyStepSettings } from './policyStep.ts';
import type { TrainerOptions } from './trainer.ts';
import type { PolicyMetrics, SupervisedMetrics, SupervisedRow } from './types.ts';

export interface Requests {
  load: { request: LoadRequest; answer: null };
  supervisedStep: { request: { rows: readonly SupervisedRow[]; optimizer: OptimizerStep }; answer: SupervisedMetrics };
  policyStep: { request: { rows: readonly BatchRow[]; settings: PolicyStepSettings }; answer: PolicyMetrics };
  state: { request: null; answer: { weights: Weights; moments: AdamMoments } };
}

export interface LoadRequest {
  readonly config: ModelConfig;
  /** All of the model's, or those of an adapter on `base`. */
  readonly weights: Weights;
  readonly moments: AdamMoments | null;
  readonly reference: Weights | null;
  readonly base: FrozenBase | null;
  readonly recomputeActivations: boolean;
}

export type RequestKind = keyof Requests;

export interface RequestMessage<K extends RequestKind = RequestKind> {
  readonly id: number;
  readonly kind: K;
  readonly request: Requests[K]['request'];
  /** One Int32, set to 1 when the request shall stop. Shared, because a computing thread reads no messages. */
  readonly cancelled: SharedArrayBuffer;
}

export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type AnswerMessage = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: PlainError };

export interface ThreadData {
  readonly options: TrainerOptions;
}
