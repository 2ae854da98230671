/**
 * @file The types of credit assignment, with their axes: a group holds G trajectories of one task, a trajectory K turns.
 * Group Turn Policy Optimization is arXiv 2511.14846; two other algorithms use the same letters.
 */
import type { Outcome } from '../rollout/types.ts';

/** One entry for each group of a step, in task order. */
export type PerBatch<T> = readonly T[];
/** One entry for each sibling of a group, in sibling order. */
export type PerGroup<T> = readonly T[];
/** One entry for each turn of a trajectory, in playing order. */
export type PerTurn<T> = readonly T[];

export interface CreditTurn {
  readonly formatViolation: boolean;
}

export interface CreditTrajectory {
  readonly outcome: Outcome;
  readonly hasCode: boolean;
  readonly turns: PerTurn<CreditTurn>;
}

/** A group as graded: what credit is computed from. */
export interface GradedGroup {
  readonly trajectories: PerGroup<CreditTrajectory>;
  /** How alike the code of two siblings is; clamped to [0, 1] where it is used. Only asked for an unsolved and a solved one. */
  readonly similarity: (unsolved: number, solved: number) => number;
}

/** What a turn's reward is made of. */
export interface RewardParts {
  /** 1 on the last turn of a solved trajectory. */
  readonly accuracy: number;
  /** −formatPenalty on a turn that violates the format. */
  readonly format: number;
  /** α · mean similarity to the solved siblings, on the last turn of an unsolved trajectory. */
  readonly shaping: number;
}

export interface TurnCredit {
  readonly reward: RewardParts;
  /** Discounted sum of rewards from this turn on; for GRPO the trajectory's total. */
  readonly return: number;
  /** null: not assigned, because the group was dropped. 0 is an assigned zero. */
  readonly advantage: number | null;
}

export interface GroupCredit {
  /** null where the trajectory takes no part: an error or a cancellation is never a reward. */
  readonly trajectories: PerGroup<PerTurn<TurnCredit> | null>;
  /** Trajectories that take part: the n of the group's statistics. */
  readonly counted: number;
  /** Dropped because all counted outcomes are worth the same (`uniformGroups: drop`), or because none counts. */
  readonly dropped: boolean;
}

/** Whether a trajectory takes part in its group's statistics. */
export function isCounted(trajectory: { readonly outcome: Outcome; readonly turns: PerTurn<unknown> }): boolean {
  const { outcome, turns } = trajectory;
  return turns.length > 0 && (outcome === 'solved' || outcome === 'failed' || outcome === 'truncated');
}

export function totalReward(parts: RewardParts): number {
  return parts.accuracy + parts.format + parts.shaping;
}
