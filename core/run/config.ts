/** @file The configuration of a run, resolved: every default is filled in. Validated by workers/config/runConfig.ts; workflows only read it. */
import type { LoraConfig } from '../model/lora.ts';
import type { ExecutionLimits, Sampling } from '../rollout/types.ts';

/** Of an execution, where a run says nothing else. */
export const defaultExecutionLimits: ExecutionLimits = { wallMs: 5000, memoryMiB: 256, outputBytes: 65_536 };

export interface OptimizerConfig {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** Steps over which lr grows linearly from lr / lrWarmupSteps. */
  readonly lrWarmupSteps: number;
  readonly lrSchedule: 'constant' | 'linear' | 'cosine';
  /** Fraction of lr that the schedule ends at. */
  readonly lrEndFraction: number;
  /** Global gradient norm is clipped to this. */
  readonly maxGradNorm: number;
}

export type TaskSourceConfig =
  /** A procedural family of core/tasks; `options` belong to the family and are validated by it. */
  | { readonly name: string; readonly family: string; readonly weight: number; readonly options: Readonly<Record<string, unknown>> }
  /** A JSONL or parquet file of the user's own tasks. `heldOutFraction` is split off by a hash of the prompt. */
  | {
      readonly name: string;
      /** Absolute. */
      readonly file: string;
      /** Of the file when the run was configured: one that has changed since is refused, since the run's task ids would mean other tasks. */
      readonly sha256?: string | undefined;
      readonly weight: number;
      readonly checker: 'exact' | 'numeric' | 'math' | 'code';
      /** `scouted`: the policy reads the column `scouted` in the place of the question (docs/scout.md). Absent is `raw`. */
      readonly statement?: 'raw' | 'scouted' | undefined;
      readonly heldOutFraction: number;
      readonly maxTurns: number;
      readonly toolRequired: boolean;
    };

export interface PolicyConfig {
  /** Built from nothing with this preset, unless `path` names a Hugging Face directory, absolute. */
  readonly preset: 'nano' | 'S' | 'M';
  readonly path: string | null;
  /** `hub:org/name@commit`: the base of the adapter at `path`, where the adapter's own files name a base on the hub without its commit. `npm run train` writes it. */
  readonly base?: string | undefined;
  /** Train an adapter on the model of `path`, which stays as it is; null, or absent in runs of older releases: train all weights. */
  readonly lora?: LoraConfig | null;
  /** Training keeps only the inputs of layers and computes the rest again on the way back: less memory, more time. Absent in runs of older releases: false. */
  readonly recomputeActivations?: boolean;
  /** `tags`: the 98-token vocabulary of the recipe families; `bytes`: any UTF-8 text. Ignored with `path`. */
  readonly vocabulary: 'tags' | 'bytes';
  /** Longest trajectory in tokens. */
  readonly contextLength: number;
  /** `tags` `<code>…</code>` and `<answer>…</answer>`; `fences` ```python blocks and \boxed or <answer>. */
  readonly turnFormat: 'tags' | 'fences';
}

/** A user's chats to be imitated, in the place of the families' demonstrations (docs/warmup.md). */
export interface ChatsConfig {
  /** JSONL or parquet with OpenAI's `messages`, absolute. */
  readonly file: string;
  /** Of the file when the run was configured. */
  readonly sha256?: string | undefined;
  /** A chat of more tokens than policy.contextLength is an error, or left out, or loses its end. */
  readonly overLong: 'refuse' | 'leaveOut' | 'truncate';
}

export interface WarmupConfig {
  /** 0 skips the warm-up. */
  readonly steps: number;
  /** Null, or absent in runs of older releases: demonstrations of the run's families. */
  readonly chats?: ChatsConfig | null;
  readonly batchSize: number;
  readonly optimizer: OptimizerConfig;
  /** Loss weight of the tokens inside an answer. */
  readonly answerWeight: number;
  /** Share of flawless demonstrations; the rest carries the family's errors. More of them: a better warm policy, and less for RL to gain. */
  readonly flawlessFraction: number;
  /** Optimiser steps per activity: what a kill loses at most. */
  readonly stepsPerCommit: number;
}

export type UniformGroups = 'keep' | 'drop';
export type Normalization = 'group' | 'batch' | 'turnIndex';
export type Aggregation = 'tokenMean' | 'trajectoryMean';

/** Credit assignment: Group Turn Policy Optimization (arXiv 2511.14846) and GRPO from the same parts. */
export interface CreditConfig {
  readonly method: 'gtpo' | 'grpo';
  /** Discount per turn. */
  readonly gamma: number;
  /** Weight of the similarity shaping of unsolved trajectories. */
  readonly alpha: number;
  /** Subtracted from the reward of a turn that violates the format; positive. */
  readonly formatPenalty: number;
  readonly normalization: Normalization;
  readonly stdFloor: number;
  readonly uniformGroups: UniformGroups;
  readonly similarity: 'tokenCosine' | 'embedding' | 'shuffled';
  /** Hugging Face directory with onnx/model.onnx, absolute, for similarity `embedding`. */
  readonly embeddingModel: string | null;
}

export interface LossConfig {
  readonly clipLow: number;
  readonly clipHigh: number;
  /** Dual clip bound for negative advantages; null is off. */
  readonly dualClip: number | null;
  readonly klCoefficient: number;
  readonly entropyCoefficient: number;
  readonly aggregation: Aggregation;
}

export interface TrainingConfig {
  readonly steps: number;
  readonly tasksPerStep: number;
  readonly groupSize: number;
  readonly optimizer: OptimizerConfig;
  /** Passes over the batch of a step. */
  readonly passes: number;
  /** Optimiser steps a pass. */
  readonly minibatches: number;
  /** Padded tokens of one micro-batch at most: less takes less memory. */
  readonly microBatchTokens: number;
}

/**
 * Activations of more tokens fall out of the processor's caches. Processor time of a step of 4,096 tokens in one piece and in pieces of
 * 1,024: preset S 1.77 s and 1.58 s, preset M 14.8 s and 11.8 s; 512 are slower again, because every piece adds up its gradients.
 */
export const largestMicroBatchTokens = 1536;

export interface RunConfig {
  readonly version: 1;
  readonly seed: number;
  readonly policy: PolicyConfig;
  readonly tasks: readonly TaskSourceConfig[];
  readonly warmup: WarmupConfig;
  /** Reinforcement learning starts only above this sampled held-out share; 0 is no gate. */
  readonly gate: { readonly minSampledSolved: number };
  readonly training: TrainingConfig;
  readonly credit: CreditConfig;
  readonly loss: LossConfig;
  readonly sampling: Sampling;
  /** The update stops when the sampler's and the trainer's log-probabilities differ by more than this. */
  readonly logprobGate: { readonly maxAbsDifference: number };
  readonly evaluation: {
    /** Held-out tasks. */
    readonly tasks: number;
    /** Every so many steps; 0: only before and after. */
    readonly every: number;
    readonly modes: readonly ('greedy' | 'sampled')[];
    readonly samplesPerTask: number;
  };
  readonly limits: {
    readonly execution: ExecutionLimits;
    /** Wall clock of one rollout, outages included; null: none. With a limit, what is truncated depends on the machine's speed. */
    readonly rolloutTimeoutMs: number | null;
  };
  readonly sandbox: {
    readonly backend: 'auto' | 'embedded' | 'docker';
    /** Docker: `slim`, `science` (numpy, sympy), or a tag of one's own. Undefined: whatever the workers have. */
    readonly image?: string | undefined;
    /** Docker: false has cells run in place, cheaper with a large heap; one that is killed costs a replay. Undefined: true. */
    readonly rollback?: boolean | undefined;
  };
  readonly checkpoints: { readonly keepLast: number; readonly keepEvery: number };
  /** Steps after which `train` continues as new. */
  readonly stepsPerHistory: number;
}
