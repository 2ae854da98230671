/** @file Adds up an evaluation page by page. Rollouts without an outcome reward (errors, cancellations) are left out of the share. */
import type { TrajectorySummary } from '../rollout/types.ts';
import type { PerTask } from './passAtK.ts';
import type { EvaluateInput, EvaluationResult, EvaluationTally } from './types.ts';

/** `places` are the tasks of the page's rollouts, where every task is counted by itself too. */
export function tally(before: EvaluationTally, page: readonly TrajectorySummary[], places?: readonly number[]): EvaluationTally {
  const counted = page.filter(({ outcomeReward }) => outcomeReward !== null);
  return {
    samples: before.samples + page.length,
    solved: before.solved + counted.filter(({ outcome }) => outcome === 'solved').length,
    counted: before.counted + counted.length,
    turns: before.turns + counted.reduce((sum, { turns }) => sum + turns, 0),
    ...(places && { perTask: tallyPerTask(before.perTask, page, places) }),
  };
}

function tallyPerTask(before: PerTask | undefined, page: readonly TrajectorySummary[], places: readonly number[]): PerTask {
  const [solved, counted] = [[...(before?.solved ?? [])], [...(before?.counted ?? [])]];
  page.forEach(({ outcome, outcomeReward }, i) => {
    const task = places[i] as number;
    counted[task] = (counted[task] ?? 0) + (outcomeReward === null ? 0 : 1);
    solved[task] = (solved[task] ?? 0) + (outcome === 'solved' ? 1 : 0);
  });
  return { solved, counted };
}

/** @throws Error when nothing was counted: there is no share of nothing. */
export function evaluationResult(input: Pick<EvaluateInput, 'policy' | 'mode' | 'tasks' | 'weights'>, total: EvaluationTally): EvaluationResult {
  const { samples, solved, counted, turns, perTask } = total;
  if (counted === 0) throw new Error('evaluationResult: expected at least one counted rollout, got none');
  const solvedShare = solved / counted;
  return {
    policyVersion: input.policy.policyVersion,
    mode: input.mode,
    tasks: input.tasks,
    samples,
    solved,
    counted,
    solvedShare,
    standardError: Math.sqrt((solvedShare * (1 - solvedShare)) / counted),
    meanTurns: turns / counted,
    ...(input.weights && { weights: input.weights }),
    ...(perTask && { perTask }),
  };
}
