/** @file What the workflows of a run and their activities pass to one another, beyond a single rollout. */
import type { ArtifactRef, PolicyRef, QuantisedWeights, Split, TaskCard, TrajectorySummary } from '../rollout/types.ts';
import type { CreditConfig, RunConfig } from './config.ts';
import type { PerTask } from './passAtK.ts';

export type Phase = 'preparing' | 'warmup' | 'evaluating' | 'rollouts' | 'update' | 'paused' | 'waiting-for-operator' | 'completed' | 'gated' | 'cancelled';

/** What an operator may change while a run goes on; effective from the next step. */
export interface Hyperparameters {
  readonly lr: number;
  readonly temperature: number;
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly klCoefficient: number;
  readonly entropyCoefficient: number;
  readonly gamma: number;
  readonly alpha: number;
  readonly formatPenalty: number;
}

export type Metrics = Readonly<Record<string, number>>;

/** Result of one evaluation mode. */
export interface EvaluationResult {
  readonly policyVersion: number;
  readonly mode: 'greedy' | 'sampled';
  readonly tasks: number;
  readonly samples: number;
  readonly solved: number;
  /** Samples with an outcome; errors are left out of the share. */
  readonly counted: number;
  readonly solvedShare: number;
  /** Binomial standard error of solvedShare. */
  readonly standardError: number;
  readonly meanTurns: number;
  /** That played; absent: float32, as they are trained. */
  readonly weights?: 'float32' | QuantisedWeights;
  readonly perTask?: PerTask;
}

export interface TrainInput {
  readonly run: string;
  readonly config: RunConfig;
  /** Filled in by continue-as-new; absent at the start. */
  readonly carry?: TrainCarry;
}

export interface TrainCarry {
  readonly step: number;
  readonly policy: PolicyRef;
  readonly hyperparameters: Hyperparameters;
  readonly paused: boolean;
  readonly before: readonly EvaluationResult[];
  /** The newest evaluation since. */
  readonly after: readonly EvaluationResult[];
  /** Of the last finished step, for the progress query. */
  readonly metrics: Metrics;
  readonly warnings?: readonly string[];
}

export interface TrainResult {
  readonly run: string;
  readonly phase: Phase;
  readonly steps: number;
  /** Absent when the run ended before `prepareRun` answered. */
  readonly policy?: PolicyRef;
  readonly before: readonly EvaluationResult[];
  readonly after: readonly EvaluationResult[];
  /** Why the run ended early (gated, cancelled). */
  readonly reason?: string;
}

/** Answer of `progressQuery`. */
export interface Progress {
  readonly run: string;
  readonly phase: Phase;
  /** Why it waits: paused by whom, parked on which failure. */
  readonly reason?: string;
  readonly step: number;
  readonly steps: number;
  readonly warmupStep: number;
  readonly warmupSteps: number;
  readonly policyVersion: number;
  readonly hyperparameters: Hyperparameters;
  /** Of the last finished step or warm-up commit; names of docs/formats.md. */
  readonly metrics: Metrics;
  readonly before: readonly EvaluationResult[];
  readonly after: readonly EvaluationResult[];
  /** Checkpoints that were refused, and why. Absent: none. */
  readonly warnings?: readonly string[];
}

export interface PrepareInput {
  readonly run: string;
  readonly config: RunConfig;
}

/** Where a run stands on disk: what `prepareRun` found or made. */
export interface PreparedRun {
  /** Newest complete checkpoint; global_step_0 holds the initial policy. */
  readonly policy: PolicyRef;
  /** Warm-up steps that checkpoint contains. */
  readonly warmupStep: number;
  /** Training steps it contains; training goes on with step + 1. */
  readonly step: number;
  /** Those of the newest step: an operator may have changed them. Absent before the first step, which follows the configuration. */
  readonly hyperparameters?: Hyperparameters;
  /** Evaluations recorded before. */
  readonly before: readonly EvaluationResult[];
  readonly warnings: readonly string[];
}

export interface WarmupInput {
  readonly run: string;
  readonly policy: PolicyRef;
  /** First and last warm-up step of this commit, from 1, inclusive. */
  readonly fromStep: number;
  readonly toStep: number;
}

/** Input of the workflow `warmup`: the activity's commits, one after another. */
export interface WarmupPhaseInput {
  readonly run: string;
  readonly policy: PolicyRef;
  /** Warm-up steps done. */
  readonly step: number;
  readonly steps: number;
  readonly stepsPerCommit: number;
  readonly paused: boolean;
}

export interface UpdateResult {
  readonly policy: PolicyRef;
  readonly metrics: Metrics;
}

export interface DrawTasksInput {
  readonly run: string;
  readonly split: 'train' | 'heldOut';
  /** Position in the task stream: `offset` … `offset + count − 1`. */
  readonly offset: number;
  readonly count: number;
}

export interface GroupInput {
  readonly run: string;
  readonly step: number;
  /** Position of the task in the step, from 0. */
  readonly position: number;
  readonly task: TaskCard;
  readonly groupSize: number;
  readonly policy: PolicyRef;
  readonly config: RolloutConfig;
}

/** The part of the run's configuration that a rollout needs. */
export interface RolloutConfig {
  readonly seed: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly maxTokensPerTurn: number;
  /** Wall clock; null: none. */
  readonly rolloutTimeoutMs: number | null;
}

export interface GroupResult {
  readonly position: number;
  readonly task: TaskCard;
  /** JSON lines of Trajectory; several when a group was graded in parts. */
  readonly trajectories: readonly ArtifactRef[];
  readonly summaries: readonly TrajectorySummary[];
}

export interface CreditGroup {
  readonly taskId: string;
  readonly trajectories: readonly ArtifactRef[];
  /** Why the group left no trajectories at all; the ledger names its task as excluded. */
  readonly failure?: string;
}

/** Input of the workflow `rollout`: one trajectory of a given task, or of the one at a position of the task stream. */
export interface RolloutInput {
  readonly run: string;
  readonly step: number;
  readonly sibling: number;
  readonly policy: PolicyRef;
  readonly config: RolloutConfig;
  readonly task: TaskCard | { readonly split: Split; readonly offset: number };
}

export interface RolloutResult {
  readonly task: TaskCard;
  readonly trajectories: ArtifactRef;
  readonly summary: TrajectorySummary;
}

export interface CreditInput {
  readonly run: string;
  readonly step: number;
  readonly policyVersion: number;
  readonly groups: readonly CreditGroup[];
  readonly credit: CreditConfig;
}

export interface CreditResult {
  /** The training batch (core/run/batch.ts); null when every group was dropped. */
  readonly batch: ArtifactRef | null;
  readonly metrics: Metrics;
}

export interface UpdateInput {
  readonly run: string;
  /** From 1. */
  readonly step: number;
  readonly policy: PolicyRef;
  readonly batch: ArtifactRef | null;
  /** Temperature at which the batch was sampled: not the one in force, when that changed after the rollouts. */
  readonly temperature: number;
  /** In force for this step; kept with its checkpoint, so that a run that is started again goes on with them. */
  readonly hyperparameters: Hyperparameters;
}

export interface StepInput {
  readonly run: string;
  /** From 1. */
  readonly step: number;
  readonly policy: PolicyRef;
  readonly config: RunConfig;
  readonly hyperparameters: Hyperparameters;
}

export interface StepResult {
  readonly policy: PolicyRef;
  readonly metrics: Metrics;
}

export interface RecordStepInput {
  readonly run: string;
  readonly kind: 'step' | 'warmup';
  readonly step: number;
  readonly policyVersion: number;
  readonly metrics: Metrics;
}

/** What the pages played so far add up to. */
export interface EvaluationTally {
  /** Rollouts played, in the order task by task, sample by sample. */
  readonly samples: number;
  readonly solved: number;
  readonly counted: number;
  /** Turns of the counted ones. */
  readonly turns: number;
  /** Where it was asked for. */
  readonly perTask?: PerTask;
}

export interface EvaluateInput {
  readonly run: string;
  readonly step: number;
  readonly policy: PolicyRef;
  readonly mode: 'greedy' | 'sampled';
  readonly tasks: number;
  readonly samplesPerTask: number;
  readonly config: RolloutConfig;
  /** That play; absent: float32, as they are trained. */
  readonly weights?: QuantisedWeights;
  /** Count every task by itself too, for pass@k. */
  readonly perTask?: boolean;
  /** Filled in by continue-as-new. */
  readonly carry?: EvaluationTally;
}

export interface WriteReportInput {
  readonly run: string;
  /** How the run ended. Absent: the report alone is written again. */
  readonly ending?: { readonly phase: 'completed' | 'gated' | 'cancelled'; readonly reason?: string };
}

export interface RecordEvaluationInput {
  readonly run: string;
  readonly step: number;
  readonly results: readonly EvaluationResult[];
}
