/**
 * @file A run, from the first checkpoint to the report: prepare → warm up → evaluate → gate → steps → evaluate → report.
 * Started again under the same id it goes on from what `prepareRun` finds on disk; within a history it goes on by replay.
 */
import { ApplicationFailure, allHandlersFinished, CancellationScope, condition, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import type { RunConfig } from '../core/run/config.ts';
import { hyperparameterProblem } from '../core/run/hyperparameters.ts';
import { playingQueue, workflowIds } from '../core/run/names.ts';
import type { EvaluationResult, TrainInput, TrainResult } from '../core/run/types.ts';
import { light, trainer } from './activities.ts';
import { attributes } from './attributes.ts';
import { evaluate } from './evaluate.ts';
import { isBadCheckpoint, reasonOf } from './failures.ts';
import { cancelSignal, childSignal, pauseSignal, progressQuery, resumeSignal, setHyperparametersUpdate } from './messages.ts';
import { untilDone } from './parking.ts';
import { RunChildren } from './runChildren.ts';
import { RunState } from './runState.ts';
import { step } from './step.ts';
import { warmup } from './warmup.ts';

/** Everything that the phases of one run share. */
interface Run extends TrainInput {
  readonly state: RunState;
  readonly children: RunChildren;
}

type Mode = EvaluationResult['mode'];

export async function train(input: TrainInput): Promise<TrainResult> {
  const state = new RunState(input);
  const run: Run = { ...input, state, children: new RunChildren(state) };
  const phases = new CancellationScope();
  const cancellation = listen(run, phases);
  try {
    await phases.run(() => playWithWholeCheckpoints(run));
  } catch (error) {
    if (!phases.consideredCancelled) throw error;
    const { reason } = cancellation;
    const ending = { phase: 'cancelled', ...(reason === undefined ? {} : { reason }) } as const;
    state.enter('cancelled', reason);
    // A report that cannot be written does not keep a run from being cancelled.
    await CancellationScope.nonCancellable(() => light.writeReport({ run: run.run, ending })).catch(() => undefined);
    // Cancelled through Temporal itself: the status of the workflow says so, and there is no reason to hand back.
    if (reason === undefined) throw error;
  }
  return state.result();
}

function listen({ state, children, config }: Run, phases: CancellationScope): { readonly reason: string | undefined } {
  const cancellation: { reason: string | undefined } = { reason: undefined };
  setHandler(progressQuery, () => state.progress(), { description: 'Phase, step, metrics, hyperparameters, evaluations' });
  setHandler(childSignal, (report) => children.heard(report), { description: 'From a child of the run: where it stands' });
  const pause = () => {
    state.paused = true;
    children.pause();
  };
  setHandler(pauseSignal, pause, { description: 'Stop between steps; what is in flight finishes first' });
  const resume = () => {
    state.resume();
    children.resume();
  };
  setHandler(resumeSignal, resume, { description: 'Go on after pause, or after a failure that waits for an operator' });
  const cancel = (reason: string) => {
    cancellation.reason = reason;
    phases.cancel();
  };
  setHandler(cancelSignal, cancel, { description: 'End the run cleanly and record the reason' });
  setHandler(setHyperparametersUpdate, (change) => state.change(change), {
    validator: (change) => refuseUnlessAllowed(change, config),
    description: 'Change lr, temperature, clipLow, clipHigh, klCoefficient, entropyCoefficient, gamma, alpha or formatPenalty from the next step on',
  });
  return cancellation;
}

function refuseUnlessAllowed(change: Readonly<Record<string, unknown>>, { credit }: RunConfig): void {
  const problem = hyperparameterProblem(change, credit);
  if (problem !== undefined) throw ApplicationFailure.nonRetryable(problem, 'BadHyperparameters');
}

async function playWithWholeCheckpoints(run: Run): Promise<void> {
  if (run.carry === undefined) await prepare(run);
  for (;;) {
    try {
      return await playPhases(run);
    } catch (error) {
      if (run.state.policy === undefined || !isBadCheckpoint(error)) throw error;
      await fallBack(run, error);
    }
  }
}

/** The run goes on from the newest checkpoint that is whole, with the hyperparameters of now: the steps since are done again. */
async function fallBack(run: Run, error: unknown): Promise<void> {
  const { state } = run;
  const [refused, { hyperparameters }] = [state.currentPolicy().manifestSha256, state];
  await prepare(run);
  state.hyperparameters = hyperparameters;
  // The disk of the trainer holds what the manifest says: then it is another worker's that does not, and trying again would never end.
  if (state.currentPolicy().manifestSha256 === refused) await state.park(reasonOf(error));
}

async function playPhases(run: Run): Promise<void> {
  const { state } = run;
  await startUp(run);
  if (state.step === 0) {
    const advice = gateAdvice(run.config, state.before);
    if (advice !== undefined) return end(run, 'gated', advice);
  }
  await playSteps(run);
  const { steps } = run.config.training;
  if (steps > 0) state.after = await evaluateAll(run, steps, run.config.evaluation.modes);
  await end(run, 'completed');
}

async function prepare({ run, config, state }: Run): Promise<void> {
  state.enter('preparing');
  state.prepared(await trainer.prepareRun({ run, config }));
}

/** Whatever of this is on disk already is not done again. */
async function startUp(run: Run): Promise<void> {
  const { state, config } = run;
  if (state.step === 0 && state.warmupStep < config.warmup.steps) await warmUp(run);
  if (state.before.length === 0 && state.step === 0) state.before = await evaluateAll(run, 0, modesBefore(config));
}

async function warmUp({ run, config, state, children }: Run): Promise<void> {
  await state.whilePaused();
  state.enter('warmup');
  const { steps, stepsPerCommit } = config.warmup;
  const { policy } = await children.play(warmup, {
    workflowId: workflowIds.warmup(run),
    args: [{ run, policy: state.currentPolicy(), step: state.warmupStep, steps, stepsPerCommit, paused: state.paused }],
    summary: `warm-up, ${steps} steps`,
    searchAttributes: attributes({ run, phase: 'warmup' }),
  });
  state.warmedUp(policy);
}

/** The gate needs the sampled share even where only the greedy one is asked for. */
function modesBefore({ evaluation, gate }: RunConfig): readonly Mode[] {
  const { modes } = evaluation;
  return gate.minSampledSolved > 0 && !modes.includes('sampled') ? [...modes, 'sampled'] : modes;
}

function gateAdvice({ gate, warmup }: RunConfig, before: readonly EvaluationResult[]): string | undefined {
  const sampled = before.find(({ mode }) => mode === 'sampled');
  if (sampled === undefined || sampled.solvedShare >= gate.minSampledSolved) return undefined;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return (
    `after ${warmup.steps} warm-up steps the policy solves ${percent(sampled.solvedShare)} of held-out rollouts when sampled, ` +
    `below the gate of ${percent(gate.minSampledSolved)}: there is too little success to reinforce. ` +
    'Train the warm-up longer (warmup.steps), or lower gate.minSampledSolved.'
  );
}

async function playSteps(run: Run): Promise<void> {
  const { state, config } = run;
  const { steps } = config.training;
  for (let played = 0; state.step < steps; played++) {
    if (played >= config.stepsPerHistory || workflowInfo().continueAsNewSuggested) await goOnInNewHistory(run);
    await state.whilePaused();
    await playStep(run, state.step + 1);
    const { every } = config.evaluation;
    if (every > 0 && state.step % every === 0 && state.step < steps) state.after = await evaluateAll(run, state.step, config.evaluation.modes);
  }
}

async function playStep({ run, config, state, children }: Run, number: number): Promise<void> {
  state.enter('rollouts');
  const policy = state.currentPolicy();
  const result = await children.play(step, {
    workflowId: workflowIds.step(run, number),
    args: [{ run, step: number, policy, config, hyperparameters: state.hyperparameters }],
    summary: `step ${number} of ${config.training.steps}`,
    searchAttributes: attributes({ run, phase: 'rollouts', step: number, policyVersion: policy.policyVersion }),
  });
  state.stepped(number, result);
}

async function goOnInNewHistory({ run, config, state }: Run): Promise<never> {
  await condition(allHandlersFinished);
  return continueAsNew<typeof train>({ run, config, carry: state.carry() });
}

async function evaluateAll({ run, config, state, children }: Run, number: number, modes: readonly Mode[]): Promise<readonly EvaluationResult[]> {
  const { tasks, samplesPerTask } = config.evaluation;
  if (tasks === 0 || modes.length === 0) return [];
  state.enter('evaluating');
  const policy = state.currentPolicy();
  const { temperature, topK, topP, maxTokensPerTurn } = config.sampling;
  const rollouts = { seed: config.seed, temperature, topK, topP, maxTokensPerTurn, rolloutTimeoutMs: config.limits.rolloutTimeoutMs };
  const results = await Promise.all(
    modes.map((mode) =>
      children.play(evaluate, {
        workflowId: workflowIds.evaluate(run, number, mode),
        taskQueue: playingQueue,
        args: [{ run, step: number, policy, mode, tasks, samplesPerTask, config: rollouts }],
        summary: `held-out tasks, ${mode}, after step ${number}`,
        searchAttributes: attributes({ run, phase: 'evaluating', step: number, policyVersion: policy.policyVersion }),
      }),
    ),
  );
  await untilDone(state.park, () => light.recordEvaluation({ run, step: number, results }));
  return results;
}

/** A report that cannot be written is no reason to lose a trained policy: the run ends and says so. */
async function end({ run, state }: Run, phase: 'completed' | 'gated', reason?: string): Promise<void> {
  const reasons = reason === undefined ? [] : [reason];
  try {
    await light.writeReport({ run, ending: { phase, ...(reason === undefined ? {} : { reason }) } });
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    reasons.push(`the report was not written: ${reasonOf(error)}`);
  }
  state.enter(phase, reasons.length === 0 ? undefined : reasons.join(' '));
}
