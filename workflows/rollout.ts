/** @file One trajectory as a workflow of its own: for a single rollout by hand, and for siblings too long to share a history. */
import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { PlayedRollout, TaskCard } from '../core/rollout/types.ts';
import type { RolloutInput, RolloutResult } from '../core/run/types.ts';
import { light } from './activities.ts';
import { announce } from './attributes.ts';
import { withDeadline } from './deadline.ts';
import { figure, table } from './details.ts';
import { gradedAndClosed } from './grading.ts';
import { playRollout } from './playRollout.ts';
import { SandboxReturns } from './sandboxes.ts';

export async function rollout(input: RolloutInput): Promise<RolloutResult> {
  const { run, step, sibling, policy, config } = input;
  const task = await taskOf(input);
  // A parent has said so when it started this child.
  if (workflowInfo().parent === undefined) announce({ run, family: task.family, step, policyVersion: policy.policyVersion });
  const sandboxes = new SandboxReturns();
  const owner = workflowInfo().workflowId;
  const onTurn = (turn: number) => setCurrentDetails(`${task.id}: ${task.summary}\n\n${table(['turn'], [[turn]])}`);
  const played = await withDeadline(config.rolloutTimeoutMs, (deadline) =>
    playRollout({ run, step, task, sibling, policy, config, name: `r${sibling}`, owner, deadline, sandboxes, onTurn }),
  );
  const result = await graded(run, step, task, played, sandboxes);
  const { outcome, outcomeReward, stopReason, turns } = result.summary;
  setCurrentDetails(
    `${task.id}: ${task.summary}\n\n${table(['turns', 'stop reason', 'outcome', 'reward'], [[turns, stopReason, outcome, figure(outcomeReward)]])}`,
  );
  announce({ outcome, reward: outcomeReward ?? undefined });
  return result;
}

async function taskOf({ run, task }: RolloutInput): Promise<TaskCard> {
  if ('id' in task) return task;
  const [drawn] = await light.drawTasks({ run, split: task.split, offset: task.offset, count: 1 });
  return drawn as TaskCard;
}

async function graded(run: string, step: number, task: TaskCard, played: PlayedRollout, sandboxes: SandboxReturns): Promise<RolloutResult> {
  const { trajectories, summaries } = await gradedAndClosed(run, step, [played], sandboxes);
  const [artifact, summary] = [trajectories[0], summaries[0]];
  if (artifact === undefined || summary === undefined) throw new Error('rollout: expected one graded trajectory, got none');
  return { task, trajectories: artifact, summary };
}
