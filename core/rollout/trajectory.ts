/**
 * @file The record of a rollout, as graded (artifact) and as written to trajectories/step_*.jsonl once credit is assigned.
 * Field names of the file follow what users of other systems read: see docs/formats.md.
 */
import type { ExecutionResult, FinishReason, Outcome, QuantisedWeights, StopReason, TaskRef } from './types.ts';

export interface TrajectoryTurn {
  readonly turn: number;
  readonly policyVersion: number;
  /** Tokens given before sampling: the prompt on turn 0, then the observation. */
  readonly givenTokens: readonly number[];
  readonly sampledTokens: readonly number[];
  /** Natural log, temperature 1, of the policy that sampled; one per sampled token. */
  readonly behaviorLogprobs: readonly number[];
  readonly finishReason: FinishReason;
  /** What the policy wrote. */
  readonly text: string;
  readonly actionKind: 'code' | 'answer' | 'malformed';
  readonly code?: string;
  readonly answer?: string;
  readonly execution?: ExecutionResult;
  readonly observation?: string;
  readonly formatViolation: boolean;
  readonly replayed: boolean;
}

/** Of an evaluation with quantised weights: without log-probabilities, so that it cannot be trained on. */
export interface QuantisedTurn extends Omit<TrajectoryTurn, 'behaviorLogprobs'> {
  readonly weights: QuantisedWeights;
}

/** As graded; only a `Trajectory` is trained on. */
export interface GradedTrajectory extends Omit<Trajectory, 'turns'> {
  readonly turns: readonly (TrajectoryTurn | QuantisedTurn)[];
}

export interface Trajectory {
  readonly schemaVersion: 1;
  readonly runId: string;
  readonly step: number;
  readonly taskId: string;
  readonly task: TaskRef;
  readonly sibling: number;
  readonly seed: number;
  readonly prompt: string;
  readonly turns: readonly TrajectoryTurn[];
  readonly stopReason: StopReason;
  readonly outcome: Outcome;
  readonly outcomeReward: number | null;
  readonly failure?: string;
  /** Ways in which the submitted program ended that have cheated other judges (activities/tasks/checkCode.ts); absent where there were none. */
  readonly suspicions?: readonly string[];
  /** The task has no honest solution. */
  readonly honeypot?: true;
}
