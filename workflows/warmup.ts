/** @file Supervised steps on demonstrations, a commit at a time: a kill loses at most the commit in flight. */
import { condition, continueAsNew, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { UpdateResult, WarmupPhaseInput } from '../core/run/types.ts';
import { light, trainer } from './activities.ts';
import { figure, table } from './details.ts';
import { pausedReason, pauseSignal } from './messages.ts';
import { childParking, ReportsToParent, untilDone } from './parking.ts';

/** A commit is about 15 events. */
const commitsPerHistory = 150;

export async function warmup(input: WarmupPhaseInput): Promise<UpdateResult> {
  let paused = input.paused;
  const reports = new ReportsToParent();
  const park = childParking(reports, () => {
    paused = false;
  });
  const pause = () => {
    paused = true;
  };
  setHandler(pauseSignal, pause, { description: 'Stop between commits' });
  let { policy, step } = input;
  let metrics = {};
  for (let commits = 0; step < input.steps; commits++) {
    if (paused) {
      reports.send({ phase: 'paused', reason: pausedReason });
      await condition(() => !paused);
      reports.send({ phase: 'warmup' });
    }
    if (commits === commitsPerHistory || workflowInfo().continueAsNewSuggested) await continueAsNew<typeof warmup>({ ...input, policy, step, paused });
    const toStep = Math.min(step + input.stepsPerCommit, input.steps);
    ({ policy, metrics } = await untilDone(park('warmup'), () => commit({ ...input, policy, step }, toStep)));
    step = toStep;
    reports.send({ phase: 'warmup', warmupStep: step, policyVersion: policy.policyVersion, metrics });
    show(step, input.steps, metrics);
  }
  return { policy, metrics };
}

async function commit({ run, policy, step }: WarmupPhaseInput, toStep: number): Promise<UpdateResult> {
  const summary = `w${step + 1}–${toStep}`;
  const result = await trainer.warmUp.executeWithOptions({ summary }, [{ run, policy, fromStep: step + 1, toStep }]);
  const { policyVersion } = result.policy;
  await light.recordStep.executeWithOptions({ summary }, [{ run, kind: 'warmup', step: toStep, policyVersion, metrics: result.metrics }]);
  return result;
}

function show(step: number, steps: number, metrics: Readonly<Record<string, number>>): void {
  const names = Object.keys(metrics).sort();
  setCurrentDetails(table(['warm-up step', ...names], [[`${step} of ${steps}`, ...names.map((name) => figure(metrics[name]))]]));
}
