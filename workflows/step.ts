/** @file One optimiser step: draw tasks → play groups → credit → update → record. */
import { ApplicationFailure, CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { meanReward } from '../core/rollout/summaries.ts';
import type { TaskCard } from '../core/rollout/types.ts';
import { withHyperparameters } from '../core/run/hyperparameters.ts';
import { playingQueue, workflowIds } from '../core/run/names.ts';
import type { GroupResult, Hyperparameters, Metrics, RolloutConfig, StepInput, StepResult } from '../core/run/types.ts';
import { light, trainer } from './activities.ts';
import { announce, attributes } from './attributes.ts';
import { boundedFanOut, playChild } from './children.ts';
import { figure, table } from './details.ts';
import { drawTasks } from './drawing.ts';
import { failureText, isBadCheckpoint, reasonOf } from './failures.ts';
import { group } from './group.ts';
import { childParking, ReportsToParent, untilDone } from './parking.ts';

/** Enough to fill the decoding batch of a policy worker, few enough for a development server. */
const rolloutsInFlight = 128;

/** A group, or why there is none. */
type Played = { readonly task: TaskCard; readonly result: GroupResult } | { readonly task: TaskCard; readonly failure: string };

export async function step(input: StepInput): Promise<StepResult> {
  let { hyperparameters } = input;
  const reports = new ReportsToParent();
  const park = childParking(reports, (changed, parked) => {
    if (parked && changed !== undefined) hyperparameters = changed;
  });
  const started = Date.now();
  const played = await untilDone(park('rollouts'), () => playGroups(input, hyperparameters));
  const rolloutSeconds = (Date.now() - started) / 1000;
  const { temperature } = hyperparameters;
  announce({ phase: 'update' });
  reports.send({ phase: 'update' });
  return untilDone(park('update'), () => learn(input, { hyperparameters, temperature }, played, rolloutMetrics(played, rolloutSeconds)));
}

async function playGroups(input: StepInput, hyperparameters: Hyperparameters): Promise<Played[]> {
  const { run, config } = input;
  const { tasksPerStep, groupSize } = config.training;
  const tasks = await drawTasks({ run, split: 'train', offset: (input.step - 1) * tasksPerStep, count: tasksPerStep });
  const view: Played[] = [];
  const played = await boundedFanOut(tasks, Math.max(1, Math.floor(rolloutsInFlight / groupSize)), async (task, position) => {
    const result = await playGroup(input, hyperparameters, task, position);
    view.push(result);
    show(view, tasks.length);
    return result;
  });
  const usable = played.some((one) => 'result' in one && meanReward(one.result.summaries) !== undefined);
  if (!usable) throw ApplicationFailure.nonRetryable(`no rollout of step ${input.step} has a reward: ${firstFailure(played)}`, 'NothingPlayed');
  return played;
}

/** A group that fails altogether is left out of the step, with its reason in the ledger. */
async function playGroup(input: StepInput, hyperparameters: Hyperparameters, task: TaskCard, position: number): Promise<Played> {
  const { run, step, policy, config } = input;
  try {
    const result = await playChild(group, {
      workflowId: workflowIds.group(run, step, position),
      taskQueue: playingQueue,
      args: [{ run, step, position, task, groupSize: config.training.groupSize, policy, config: rolloutConfig(input, hyperparameters) }],
      summary: `${task.id} × ${config.training.groupSize}`,
      searchAttributes: attributes({ run, family: task.family, step, policyVersion: policy.policyVersion }),
    });
    return { task, result };
  } catch (error) {
    if (CancellationScope.current().consideredCancelled || isBadCheckpoint(error)) throw error;
    return { task, failure: reasonOf(error) };
  }
}

/** Credit, update and record are idempotent per (run, step), so all three may be done again after a failure. */
async function learn(
  input: StepInput,
  { hyperparameters, temperature }: { readonly hyperparameters: Hyperparameters; readonly temperature: number },
  played: readonly Played[],
  playing: Metrics,
): Promise<StepResult> {
  const { run, step, policy } = input;
  const config = withHyperparameters(input.config, hyperparameters);
  const summary = `s${step}`;
  const groups = played.map((one) =>
    'result' in one ? { taskId: one.task.id, trajectories: one.result.trajectories } : { taskId: one.task.id, trajectories: [], failure: one.failure },
  );
  const creditStarted = Date.now();
  const credit = await light.advantages.executeWithOptions({ summary }, [{ run, step, policyVersion: policy.policyVersion, groups, credit: config.credit }]);
  const updateStarted = Date.now();
  const updated = await trainer.update.executeWithOptions({ summary }, [{ run, step, policy, batch: credit.batch, temperature, hyperparameters }]);
  const metrics = {
    ...playing,
    ...credit.metrics,
    ...updated.metrics,
    'time/credit': (updateStarted - creditStarted) / 1000,
    'time/update': (Date.now() - updateStarted) / 1000,
  };
  await light.recordStep.executeWithOptions({ summary }, [{ run, kind: 'step', step, policyVersion: updated.policy.policyVersion, metrics }]);
  return { policy: updated.policy, metrics };
}

function rolloutConfig({ config }: StepInput, { temperature }: Hyperparameters): RolloutConfig {
  const { topK, topP, maxTokensPerTurn } = config.sampling;
  return { seed: config.seed, temperature, topK, topP, maxTokensPerTurn, rolloutTimeoutMs: config.limits.rolloutTimeoutMs };
}

/** What only the workflow knows: how long playing took, and the groups that never became trajectories. */
function rolloutMetrics(played: readonly Played[], seconds: number): Metrics {
  const summaries = played.flatMap((one) => ('result' in one ? one.result.summaries : []));
  const sampledTokens = summaries.reduce((sum, summary) => sum + summary.sampledTokens, 0);
  return {
    'time/rollouts': seconds,
    'rollouts/tokens_per_second': seconds > 0 ? sampledTokens / seconds : 0,
    'groups/failed': played.filter((one) => 'failure' in one).length,
  };
}

function firstFailure(played: readonly Played[]): string {
  for (const one of played) {
    if ('failure' in one) return one.failure;
    const [summary] = one.result.summaries;
    if (summary !== undefined) return failureText(summary);
  }
  return 'no task was drawn';
}

function show(played: readonly Played[], tasks: number): void {
  const rows = played.map((one) => {
    if ('failure' in one) return [one.task.id, undefined, undefined, one.failure];
    const { summaries } = one.result;
    const turns = summaries.reduce((sum, summary) => sum + summary.turns, 0) / summaries.length;
    return [one.task.id, figure(meanReward(summaries)), figure(turns), undefined];
  });
  setCurrentDetails(`${played.length} of ${tasks} groups\n\n${table(['task', 'reward', 'turns', 'left out because'], rows)}`);
}
