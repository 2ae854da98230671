/** @file Plays one task G times with the same policy and grades the result: what Group Turn Policy Optimization (arXiv 2511.14846) compares. */
import { CancellationScope, isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { meanReward, outcomeOfAll } from '../core/rollout/summaries.ts';
import type { PlayedRollout, TrajectorySummary } from '../core/rollout/types.ts';
import type { GroupInput, GroupResult } from '../core/run/types.ts';
import { announce, attributes } from './attributes.ts';
import { playChild } from './children.ts';
import { withDeadline } from './deadline.ts';
import { figure, table } from './details.ts';
import { isBadCheckpoint, reasonOf } from './failures.ts';
import { type Graded, gradedAndClosed, gradeRollouts } from './grading.ts';
import { eventsPerTurn, groupHistoryEvents } from './historyBudget.ts';
import { playRollout } from './playRollout.ts';
import { rollout } from './rollout.ts';
import { SandboxReturns } from './sandboxes.ts';

export async function group(input: GroupInput): Promise<GroupResult> {
  const view = new GroupView(input);
  const long = input.groupSize * input.task.maxTurns * eventsPerTurn > groupHistoryEvents;
  const graded = await (long ? asChildren(input, view) : sideBySide(input, view));
  view.graded(graded.summaries);
  announce({ outcome: outcomeOfAll(graded.summaries), reward: meanReward(graded.summaries) });
  return { position: input.position, task: input.task, ...graded };
}

async function sideBySide(input: GroupInput, view: GroupView): Promise<Graded> {
  const { run, step, task, policy, config } = input;
  const sandboxes = new SandboxReturns();
  const { workflowId } = workflowInfo();
  const rollouts = await withDeadline(config.rolloutTimeoutMs, (deadline) =>
    Promise.all(
      siblings(input).map(async (sibling) => {
        const name = `r${sibling}`;
        const onTurn = (turn: number) => view.turn(sibling, turn);
        const played = await playRollout({ run, step, task, sibling, policy, config, name, owner: `${workflowId}/${name}`, deadline, sandboxes, onTurn });
        view.stopped(played);
        return played;
      }),
    ),
  );
  return gradedAndClosed(run, step, rollouts, sandboxes);
}

async function asChildren(input: GroupInput, view: GroupView): Promise<Graded> {
  const results = await Promise.all(siblings(input).map((sibling) => childRollout(input, sibling, view)));
  return {
    trajectories: results.flatMap(({ trajectories }) => trajectories),
    summaries: results.flatMap(({ summaries }) => summaries),
  };
}

async function childRollout(input: GroupInput, sibling: number, view: GroupView): Promise<Graded> {
  const { run, step, task, policy, config } = input;
  try {
    const { trajectories, summary } = await playChild(rollout, {
      workflowId: `${workflowInfo().workflowId}/r${sibling}`,
      args: [{ run, step, task, sibling, policy, config }],
      summary: `r${sibling} of ${task.id}`,
      searchAttributes: attributes({ run, family: task.family, step, policyVersion: policy.policyVersion }),
    });
    view.graded([summary]);
    return { trajectories: [trajectories], summaries: [summary] };
  } catch (error) {
    if (CancellationScope.current().consideredCancelled || isBadCheckpoint(error)) throw error;
    const stopReason = isCancellation(error) ? 'cancelled' : 'infraError';
    return gradeRollouts(run, step, [{ sibling, task: task.ref, seed: 0, stopReason, turns: [], failure: reasonOf(error) }]);
  }
}

function siblings(input: GroupInput): number[] {
  return Array.from({ length: input.groupSize }, (_, sibling) => sibling);
}

interface SiblingRow {
  readonly turn?: number;
  readonly stopReason?: string;
  readonly outcome?: string;
  readonly reward?: number | null;
}

/** The table in the workflow's current details: one row a sibling. */
class GroupView {
  readonly #title: string;
  readonly #rows: SiblingRow[];

  constructor(input: GroupInput) {
    this.#title = `${input.task.id}: ${input.task.summary}`;
    this.#rows = siblings(input).map(() => ({}));
    this.#show();
  }

  turn(sibling: number, turn: number): void {
    this.#change(sibling, { turn });
  }

  stopped(played: PlayedRollout): void {
    this.#change(played.sibling, { stopReason: played.failure === undefined ? played.stopReason : `${played.stopReason}: ${played.failure}` });
  }

  graded(summaries: readonly TrajectorySummary[]): void {
    for (const { sibling, turns, stopReason, outcome, outcomeReward } of summaries) {
      this.#change(sibling, { turn: turns - 1, stopReason, outcome, reward: outcomeReward });
    }
  }

  #change(sibling: number, change: SiblingRow): void {
    this.#rows[sibling] = { ...this.#rows[sibling], ...change };
    this.#show();
  }

  #show(): void {
    const rows = this.#rows.map(({ turn, stopReason, outcome, reward }, sibling) => [`r${sibling}`, turn, stopReason, outcome, figure(reward)]);
    setCurrentDetails(`${this.#title}\n\n${table(['sibling', 'turn', 'stop reason', 'outcome', 'reward'], rows)}`);
  }
}
