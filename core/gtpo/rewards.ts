/** @file Turn rewards of GTPO (Group Turn Policy Optimization, arXiv 2511.14846): outcome on the last turn, format on every turn, similarity shaping of what failed. */
import { type CreditTrajectory, type GradedGroup, isCounted, type PerGroup, type PerTurn, type RewardParts } from './types.ts';

export interface RewardOptions {
  readonly alpha: number;
  readonly formatPenalty: number;
}

/** null for trajectories that take no part. */
export function turnRewards(group: GradedGroup, options: RewardOptions): PerGroup<PerTurn<RewardParts> | null> {
  const solved = solvedIn(group.trajectories);
  return group.trajectories.map((trajectory, sibling) => {
    if (!isCounted(trajectory)) return null;
    const accuracy = trajectory.outcome === 'solved' ? 1 : 0;
    const shaping = shapingOf(group, sibling, solved, options.alpha);
    return trajectory.turns.map(({ formatViolation }, turn) => {
      const last = turn === trajectory.turns.length - 1;
      return { accuracy: last ? accuracy : 0, format: formatViolation ? -options.formatPenalty : 0, shaping: last ? shaping : 0 };
    });
  });
}

function solvedIn(trajectories: PerGroup<CreditTrajectory>): readonly number[] {
  return trajectories.flatMap((trajectory, sibling) => (isCounted(trajectory) && trajectory.outcome === 'solved' ? [sibling] : []));
}

/** α · mean over the solved siblings p of sim(code, code_p). The mean divides by |p| once. */
function shapingOf(group: GradedGroup, sibling: number, solved: readonly number[], alpha: number): number {
  const trajectory = group.trajectories[sibling] as CreditTrajectory;
  if (trajectory.outcome === 'solved' || !trajectory.hasCode || solved.length === 0 || alpha === 0) return 0;
  const sum = solved.reduce((total, other) => total + Math.min(1, Math.max(0, group.similarity(sibling, other))), 0);
  return (alpha * sum) / solved.length;
}
