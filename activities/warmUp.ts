/** @file Activity `warmUp`: supervised steps on demonstrations or on a user's chats, from one commit to the next. */
import { basename, join } from 'node:path';
import { learningRateAt } from '../core/run/learningRate.ts';
import type { Metrics, UpdateResult, WarmupInput } from '../core/run/types.ts';
import { runPaths } from './artifacts/paths.ts';
import { heartbeating } from './heartbeating.ts';
import type { SupervisedMetrics } from './policy/training/types.ts';
import type { TrainerActivities } from './signatures.ts';
import { commit, findCommitted } from './trainer/commit.ts';
import type { Attempt, TrainerDependencies } from './trainer/dependencies.ts';
import { throwTrainerFailure } from './trainer/failures.ts';
import type { Held } from './trainer/loadedPolicy.ts';
import { LastSupervision } from './trainer/supervision.ts';

export function createWarmUp(trainer: TrainerDependencies): TrainerActivities['warmUp'] {
  const supervisions = new LastSupervision();
  return (input) => heartbeating((signal, report) => warmUp({ ...trainer, supervisions }, input, { signal, report })).catch(throwTrainerFailure);
}

type WarmupDependencies = TrainerDependencies & { readonly supervisions: LastSupervision };

async function warmUp(trainer: WarmupDependencies, input: WarmupInput, attempt: Attempt): Promise<UpdateResult> {
  const { run, policy, toStep } = input;
  const position = { globalStep: 0, warmupStep: toStep };
  const madeFrom = { parentManifestSha256: policy.manifestSha256, batchSha256: null, hyperparameters: null };
  const known = await findCommitted(trainer, run, position, madeFrom);
  if (known !== undefined) return { policy: known.policy, metrics: known.state.metrics };
  const { recomputeActivations } = (await trainer.loadConfig(run)).policy;
  const started = performance.now();
  const { policy: next, state } = await trainer.loaded.train({ run, policy, phase: 'warmup', withReference: false, recomputeActivations }, async (held) => {
    const metrics = await supervisedSteps(trainer, held, input, attempt);
    attempt.signal.throwIfAborted();
    return commit(trainer, run, { ...held, policy }, { ...position, batchSha256: null, hyperparameters: null, metrics });
  });
  return { policy: next, metrics: { ...state.metrics, 'time/warmup': (performance.now() - started) / 1000 } };
}

async function supervisedSteps(trainer: WarmupDependencies, { engine }: Held, input: WarmupInput, { signal, report }: Attempt): Promise<Metrics> {
  const { run, policy, fromStep, toStep } = input;
  const config = await trainer.loadConfig(run);
  const { optimizer, steps } = config.warmup;
  const lrAt = (step: number) => learningRateAt(step, steps, optimizer);
  const directory = join(runPaths(trainer.home, run).checkpoints, basename(policy.checkpoint), 'policy');
  const { rowsOf, metricsAt } = await trainer.supervisions.of(run, config, directory);
  const done: SupervisedMetrics[] = [];
  let rows = rowsOf(fromStep);
  let leftOut = 0;
  for (let step = fromStep; step <= toStep; step++) {
    leftOut += config.warmup.batchSize - rows.length;
    const training = engine.supervisedStep(rows, { ...optimizer, lr: lrAt(step) }, signal);
    // The engine has a thread of its own: the next rows are drawn while it computes.
    const [metrics, next] = await Promise.all([training, step < toStep ? promised(() => rowsOf(step + 1)) : rows]);
    rows = next;
    report({ step, steps, loss: metrics.loss });
    done.push(metrics);
  }
  return { lr: lrAt(toStep), ...summary(done), ...(leftOut > 0 && { 'demonstrations/left_out': leftOut }), ...metricsAt(toStep) };
}

/** What `make` makes; what it throws is a rejection, beside those of other promises. */
async function promised<T>(make: () => T): Promise<T> {
  return make();
}

/** Means over the steps of the commit; the loss is that of its last tenth, which is what a curve should show. */
function summary(steps: readonly SupervisedMetrics[]): Metrics {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    loss: mean(steps.slice(-Math.ceil(steps.length / 10)).map(({ loss }) => loss)),
    grad_norm: mean(steps.map(({ gradNorm }) => gradNorm)),
    'tokens/trained': steps.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}
