/** @file The ledger of a step: for every rollout, whether it was trained on, and else why not. A group that was never played has one line of its own. */
import { type GroupCredit, isCounted } from '../../core/gtpo/types.ts';
import type { Trajectory } from '../../core/rollout/trajectory.ts';
import type { CreditInput } from '../../core/run/types.ts';
import type { LedgerLine } from './lines.ts';
import type { CreditedTrajectory } from './trajectoryLine.ts';

/** Why a trajectory is not trained on; undefined where it is. Begins with one word that can be counted. */
export function exclusionOf(trajectory: Trajectory, { counted, dropped }: GroupCredit): string | undefined {
  const { outcome, failure, turns, stopReason } = trajectory;
  if (outcome === 'infra_error' || outcome === 'model_error' || outcome === 'cancelled') return failure === undefined ? outcome : `${outcome}: ${failure}`;
  if (stopReason === 'contextLength') return 'context_length: the prompt leaves no room for a turn; raise policy.contextLength, or leave the task out';
  if (!isCounted(trajectory)) return `no_turns: the trajectory has ${turns.length} turns`;
  return dropped ? `uniform_group: all ${counted} counted siblings are ${outcome === 'solved' ? 'solved' : 'unsolved'}` : undefined;
}

export function ledgerLines({ step, policyVersion, groups }: CreditInput, trajectories: readonly CreditedTrajectory[]): LedgerLine[] {
  return groups.flatMap((group, position) => {
    const groupId = `s${step}/t${position}`;
    const siblings = trajectories.filter((one) => one.groupId === groupId);
    if (siblings.length > 0) return siblings.map((one) => rolloutLine(one, policyVersion));
    const reason = `not_played: ${group.failure ?? 'no trajectory was graded'}`;
    const identity = { schema_version: 1, step, task_id: group.taskId, group_id: groupId } as const;
    return [{ ...identity, sibling: null, outcome: null, stop_reason: null, turns: [], trained: false, reason, policy_version: policyVersion }];
  });
}

function rolloutLine({ trajectory, groupId, excludedBecause }: CreditedTrajectory, policyVersion: number): LedgerLine {
  return {
    schema_version: 1,
    step: trajectory.step,
    task_id: trajectory.taskId,
    group_id: groupId,
    sibling: trajectory.sibling,
    outcome: trajectory.outcome,
    stop_reason: trajectory.stopReason,
    turns: trajectory.turns.map((turn) => ({
      turn: turn.turn,
      policy_version: turn.policyVersion,
      sampled_tokens: turn.sampledTokens.length,
      replayed: turn.replayed,
    })),
    trained: excludedBecause === undefined,
    ...(excludedBecause === undefined ? {} : { reason: excludedBecause }),
    policy_version: policyVersion,
  };
}
