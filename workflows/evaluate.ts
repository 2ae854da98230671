/** @file Plays held-out tasks with a fixed policy, a page of rollouts at a time and a history a page. */
import { ApplicationFailure, continueAsNew, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { PlayedRollout, TaskCard, TrajectorySummary } from '../core/rollout/types.ts';
import { evaluationResult, tally } from '../core/run/evaluation.ts';
import type { EvaluateInput, EvaluationResult, EvaluationTally } from '../core/run/types.ts';
import { announce } from './attributes.ts';
import { withDeadline } from './deadline.ts';
import { figure, table } from './details.ts';
import { drawTasks } from './drawing.ts';
import { failureText } from './failures.ts';
import { gradedAndClosed } from './grading.ts';
import { eventsPerTurn, groupHistoryEvents } from './historyBudget.ts';
import { childParking, ReportsToParent, untilDone } from './parking.ts';
import { playForEvaluation } from './playRollout.ts';
import { SandboxReturns } from './sandboxes.ts';

/** Rollouts of one page, all in flight at once. */
const pageRollouts = 64;

/** Evaluations share their sampling seeds whatever the step, so that before and after differ by the policy alone. Training steps start at 1. */
const seedStep = 0;

interface Sample {
  readonly task: TaskCard;
  readonly sample: number;
  /** Of the task among all. */
  readonly position: number;
  /** Short name in activity summaries. */
  readonly name: string;
}

export async function evaluate(input: EvaluateInput): Promise<EvaluationResult> {
  const carry = input.carry ?? { samples: 0, solved: 0, counted: 0, turns: 0 };
  const { run, step, policy } = input;
  // A parent has said so when it started this child, and an earlier history when it went on in this one.
  if (workflowInfo().parent === undefined && input.carry === undefined) announce({ run, phase: 'evaluating', step, policyVersion: policy.policyVersion });
  show(input, carry);
  const total = await playedPage(input, carry);
  show(input, total);
  if (total.samples < samplesOf(input)) await continueAsNew<typeof evaluate>({ ...input, carry: total });
  return evaluationResult(input, total);
}

/** Within a run a failure waits for an operator; by itself it ends the workflow, and whoever started it is told. */
function playedPage(input: EvaluateInput, carry: EvaluationTally): Promise<EvaluationTally> {
  if (workflowInfo().parent === undefined) return playPage(input, carry);
  const park = childParking(new ReportsToParent());
  return untilDone(park('evaluating'), () => playPage(input, carry));
}

/** Greedy decoding gives the same trajectory every time, so one sample a task says everything. */
function samplesPerTask(input: EvaluateInput): number {
  return input.mode === 'greedy' ? 1 : input.samplesPerTask;
}

function samplesOf(input: EvaluateInput): number {
  return input.tasks * samplesPerTask(input);
}

async function playPage(input: EvaluateInput, carry: EvaluationTally): Promise<EvaluationTally> {
  const page = await drawPage(input, carry.samples);
  const { summaries } = await playSamples(input, page);
  const places = input.perTask ? page.map(({ position }) => position) : undefined;
  const total = tally(carry, summaries, places);
  if (total.counted === 0) throw ApplicationFailure.nonRetryable(`no rollout of this page can be counted: ${failureOf(summaries)}`, 'NothingPlayed');
  return total;
}

async function drawPage(input: EvaluateInput, first: number): Promise<Sample[]> {
  const perTask = samplesPerTask(input);
  const end = Math.min(first + pageRollouts, samplesOf(input));
  const offset = Math.floor(first / perTask);
  const tasks = await drawTasks({ run: input.run, split: 'heldOut', offset, count: Math.ceil(end / perTask) - offset });
  const page: Sample[] = [];
  let events = 0;
  for (let index = first; index < end; index++) {
    const position = Math.floor(index / perTask);
    const [task, sample] = [tasks[position - offset] as TaskCard, index % perTask];
    events += task.maxTurns * eventsPerTurn;
    // A page of long tasks is shorter: its history stays below what Temporal wants, and the next page begins a new one.
    if (page.length > 0 && events > groupHistoryEvents) break;
    page.push({ task, sample, position, name: `t${position} r${sample}` });
  }
  return page;
}

async function playSamples(input: EvaluateInput, page: readonly Sample[]): Promise<{ readonly summaries: readonly TrajectorySummary[] }> {
  const { run, policy, weights } = input;
  const config = { ...input.config, temperature: input.mode === 'greedy' ? 0 : input.config.temperature };
  const sandboxes = new SandboxReturns();
  const { workflowId } = workflowInfo();
  const rollouts: readonly PlayedRollout[] = await withDeadline(config.rolloutTimeoutMs, (deadline) =>
    Promise.all(
      page.map(({ task, sample, name }) =>
        playForEvaluation(
          {
            run,
            step: seedStep,
            task,
            sibling: sample,
            policy,
            config,
            name,
            owner: `${workflowId}/${name.replace(' ', '/')}`,
            deadline,
            sandboxes,
          },
          weights,
        ),
      ),
    ),
  );
  return gradedAndClosed(run, input.step, rollouts, sandboxes);
}

function failureOf(summaries: readonly TrajectorySummary[]): string {
  const [first] = summaries;
  return first === undefined ? 'no task was drawn' : failureText(first);
}

function show(input: EvaluateInput, { samples, solved, counted }: EvaluationTally): void {
  const share = counted === 0 ? undefined : solved / counted;
  const { mode, policy, weights = 'float32' } = input;
  const rows = [[mode, `${samples} of ${samplesOf(input)}`, figure(share), samples - counted, policy.policyVersion, weights]];
  setCurrentDetails(table(['mode', 'rollouts', 'solved share', 'not counted', 'policy version', 'weights'], rows));
}
