/** @file Activity `grade`: the outcome of every rollout by its task's checker, and the trajectories as one artifact. Idempotent: the artifact is named by its content. */
import { Context } from '@temporalio/activity';
import { failureOutcome, outcomeOf, outcomeReward } from '../core/rollout/stopReasons.ts';
import type { GradedTrajectory } from '../core/rollout/trajectory.ts';
import type { GradeInput, GradeResult, PlayedRollout, TrajectorySummary } from '../core/rollout/types.ts';
import type { Task } from '../core/tasks/task.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import { heartbeating } from './heartbeating.ts';
import type { LoadRunConfig } from './runs/storedConfig.ts';
import type { LightActivities } from './signatures.ts';
import { type CheckTools, judgementOf } from './tasks/check.ts';
import { playedTrajectory, type UngradedTrajectory } from './tasks/playedTrajectory.ts';
import type { LoadTaskSources } from './tasks/taskSources.ts';

export interface GradeDependencies extends Pick<CheckTools, 'math' | 'judge'> {
  readonly store: ArtifactStore;
  readonly sources: LoadTaskSources;
  readonly config: LoadRunConfig;
}

/** A checker that breaks is tried again this often in all; then its trajectory counts as an infrastructure error. */
export const checkerAttempts = 3;

export function createGrade(dependencies: GradeDependencies): LightActivities['grade'] {
  return (input) => heartbeating((signal, report) => grade(input, dependencies, signal, report));
}

async function grade(
  input: GradeInput,
  dependencies: GradeDependencies,
  signal: AbortSignal,
  report: (details: { graded: number; of: number }) => void,
): Promise<GradeResult> {
  const [sources, config] = await Promise.all([dependencies.sources(input.run), dependencies.config(input.run)]);
  const tools = { ...dependencies, limits: config.limits.execution, signal };
  const trajectories: GradedTrajectory[] = [];
  for (const rollout of input.rollouts) {
    report({ graded: trajectories.length, of: input.rollouts.length });
    signal.throwIfAborted();
    trajectories.push(await graded(input, rollout, sources.task(rollout.task), dependencies.store, tools));
  }
  const lines = trajectories.map((trajectory) => `${JSON.stringify(trajectory)}\n`).join('');
  return { trajectories: await dependencies.store.put(Buffer.from(lines, 'utf8')), summaries: trajectories.map(summaryOf) };
}

async function graded(input: GradeInput, rollout: PlayedRollout, task: Task, store: ArtifactStore, tools: CheckTools): Promise<GradedTrajectory> {
  const played = await playedTrajectory(input, rollout, task, store);
  if (failureOutcome(rollout.stopReason) !== undefined) return withOutcome(played, undefined);
  try {
    const { solved, suspicions } = await judgementOf(task, played, tools);
    return {
      ...withOutcome(played, solved),
      ...(suspicions.length === 0 ? {} : { suspicions }),
      ...(task.honeypot === undefined ? {} : { honeypot: task.honeypot }),
    };
  } catch (error) {
    if (tools.signal.aborted || Context.current().info.attempt < checkerAttempts) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { ...played, outcome: 'infra_error', outcomeReward: null, failure: `the ${task.checker.kind} checker broke ${checkerAttempts} times: ${reason}` };
  }
}

function withOutcome(played: UngradedTrajectory, solved: boolean | undefined): GradedTrajectory {
  const outcome = outcomeOf(played.stopReason, solved);
  return { ...played, outcome, outcomeReward: outcomeReward(outcome) };
}

function summaryOf({ sibling, taskId, outcome, stopReason, outcomeReward: reward, turns }: GradedTrajectory): TrajectorySummary {
  return {
    sibling,
    taskId,
    outcome,
    stopReason,
    outcomeReward: reward,
    turns: turns.length,
    sampledTokens: turns.reduce((sum, turn) => sum + turn.sampledTokens.length, 0),
    formatViolations: turns.filter((turn) => turn.formatViolation).length,
  };
}
