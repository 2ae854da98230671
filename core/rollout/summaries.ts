/** @file What the trajectories of a group or an evaluation add up to. Errors and cancellations are left out, never counted as zero. */
import type { Outcome, TrajectorySummary } from './types.ts';

/** Mean outcome reward of those that have one; undefined when none has. */
export function meanReward(summaries: readonly TrajectorySummary[]): number | undefined {
  const rewards = summaries.flatMap(({ outcomeReward }) => (outcomeReward === null ? [] : [outcomeReward]));
  return rewards.length === 0 ? undefined : rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
}

/** The outcome on which all agree, else `mixed`. */
export function outcomeOfAll(summaries: readonly TrajectorySummary[]): Outcome | 'mixed' {
  const outcomes = new Set(summaries.map(({ outcome }) => outcome));
  const [first] = outcomes;
  return outcomes.size === 1 && first !== undefined ? first : 'mixed';
}
