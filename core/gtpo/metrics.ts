/** @file The figures of a step that follow from its trajectories and their credit. Names as users of other systems grep them: docs/formats.md. */
import type { Trajectory, TrajectoryTurn } from '../rollout/trajectory.ts';
import type { Metrics } from '../run/types.ts';
import { momentsOf } from './normalise.ts';
import { type GroupCredit, type PerBatch, type PerGroup, type RewardParts, totalReward } from './types.ts';

/** A group as it was played and as it was credited, sibling by sibling. */
export interface CreditedGroup {
  readonly trajectories: PerGroup<Trajectory>;
  readonly credit: GroupCredit;
}

export function creditMetrics(groups: PerBatch<CreditedGroup>): Metrics {
  const all = groups.flatMap(({ trajectories }) => trajectories);
  const counted = groups.flatMap(({ trajectories, credit }) => trajectories.filter((_, i) => credit.trajectories[i] !== null));
  const turns = counted.flatMap((trajectory) => trajectory.turns);
  const sampled = (trajectory: Trajectory) => trajectory.turns.reduce((sum, turn) => sum + turn.sampledTokens.length, 0);
  const lengths = counted.map(sampled);
  return {
    ...rewardMetrics(groups),
    ...groupMetrics(groups),
    'solved/mean': share(counted, ({ outcome }) => outcome === 'solved'),
    'truncated/mean': share(counted, ({ outcome }) => outcome === 'truncated'),
    'completions/mean_length': momentsOf(lengths).mean,
    'completions/max_length': lengths.reduce((most, length) => Math.max(most, length), 0),
    'num_turns/mean': momentsOf(counted.map((trajectory) => trajectory.turns.length)).mean,
    'tools/failure_frequency': share(executed(turns), (turn) => turn.execution?.exitCode !== 0),
    'tools/timeout_frequency': share(executed(turns), (turn) => turn.execution?.timedOut === true),
    'format/violation_frequency': share(turns, (turn) => turn.formatViolation),
    ...judgeMetrics(counted),
    rollouts: all.length,
    errored_rollouts: all.filter(({ outcome }) => outcome === 'infra_error' || outcome === 'model_error').length,
    cancelled_rollouts: all.filter(({ outcome }) => outcome === 'cancelled').length,
    replayed_turns: all.flatMap((trajectory) => trajectory.turns).filter((turn) => turn.replayed).length,
  };
}

/** How often programs ended in a way that has cheated other judges, and how many tasks without a solution were "solved": anything but 0 there is a hole in the checker. */
function judgeMetrics(counted: readonly Trajectory[]): Metrics {
  const withSuspicion = (name: string) => counted.filter(({ suspicions }) => suspicions?.includes(name)).length;
  const honeypots = counted.filter(({ honeypot }) => honeypot === true);
  return {
    'judge/hard_exits': withSuspicion('hardExit'),
    'judge/silent_exits': withSuspicion('silentExit'),
    'judge/stray_processes': withSuspicion('strayProcesses'),
    'judge/forged_frames': withSuspicion('forgedFrame'),
    'honeypot/rollouts': honeypots.length,
    'honeypot/solved': honeypots.filter(({ outcome }) => outcome === 'solved').length,
  };
}

function executed(turns: readonly TrajectoryTurn[]): readonly TrajectoryTurn[] {
  return turns.filter(({ execution }) => execution !== undefined);
}

/** 0 of none. */
function share<T>(all: readonly T[], has: (one: T) => boolean): number {
  return all.length === 0 ? 0 : all.filter(has).length / all.length;
}

/** Rewards are those of trajectories: the sum over their turns. */
function rewardMetrics(groups: PerBatch<CreditedGroup>): Metrics {
  const parts = groups.flatMap(({ credit }) => credit.trajectories).flatMap((turns) => (turns === null ? [] : [turns.map(({ reward }) => reward)]));
  const sumOf = (of: (part: RewardParts) => number) => parts.map((turns) => turns.reduce((sum, part) => sum + of(part), 0));
  const { mean, std } = momentsOf(sumOf(totalReward));
  return {
    'reward/mean': mean,
    'reward/std': std,
    'reward/accuracy': momentsOf(sumOf((part) => part.accuracy)).mean,
    'reward/format': momentsOf(sumOf((part) => part.format)).mean,
    'reward/shaping': momentsOf(sumOf((part) => part.shaping)).mean,
  };
}

function groupMetrics(groups: PerBatch<CreditedGroup>): Metrics {
  const played = groups.filter(({ credit }) => credit.counted > 0);
  const advantages = groups.flatMap(({ credit }) => credit.trajectories.flatMap((turns) => turns ?? [])).flatMap(({ advantage }) => advantage ?? []);
  const trained = groups.flatMap(({ trajectories, credit }) => (credit.dropped ? [] : trajectories.filter((_, i) => credit.trajectories[i] !== null)));
  return {
    frac_reward_zero_std: share(played, hasNoSpread),
    'groups/count': groups.length,
    'groups/dropped': groups.filter(({ credit }) => credit.dropped).length,
    'groups/mean_counted': momentsOf(groups.map(({ credit }) => credit.counted)).mean,
    'advantage/std': momentsOf(advantages).std,
    'trained/rollouts': trained.length,
    'trained/tokens': trained.reduce((sum, { turns }) => sum + turns.reduce((tokens, turn) => tokens + turn.sampledTokens.length, 0), 0),
  };
}

/** Every counted trajectory earned the same. */
function hasNoSpread({ credit }: CreditedGroup): boolean {
  const rewards = credit.trajectories.flatMap((turns) => (turns === null ? [] : [turns.reduce((sum, { reward }) => sum + totalReward(reward), 0)]));
  return momentsOf(rewards).std < 1e-9;
}
