/** @file Activity `update`: one step of reinforcement learning on a batch, and its checkpoint. */
import { type BatchRow, decodeBatch } from '../core/run/batch.ts';
import type { RunConfig } from '../core/run/config.ts';
import { withHyperparameters } from '../core/run/hyperparameters.ts';
import { learningRateAt } from '../core/run/learningRate.ts';
import type { Metrics, UpdateInput, UpdateResult } from '../core/run/types.ts';
import { heartbeating } from './heartbeating.ts';
import type { PolicyMetrics } from './policy/training/types.ts';
import type { TrainerActivities } from './signatures.ts';
import { commit, findCommitted } from './trainer/commit.ts';
import type { Attempt, TrainerDependencies } from './trainer/dependencies.ts';
import { throwTrainerFailure } from './trainer/failures.ts';
import type { Held } from './trainer/loadedPolicy.ts';

export function createUpdate(trainer: TrainerDependencies): TrainerActivities['update'] {
  return (input) => heartbeating((signal, report) => update(trainer, input, { signal, report })).catch(throwTrainerFailure);
}

async function update(trainer: TrainerDependencies, input: UpdateInput, attempt: Attempt): Promise<UpdateResult> {
  const { run, step, policy, hyperparameters } = input;
  const config = withHyperparameters(await trainer.loadConfig(run), hyperparameters);
  const batchSha256 = input.batch?.sha256 ?? null;
  const position = { globalStep: step, warmupStep: config.warmup.steps };
  const known = await findCommitted(trainer, run, position, { parentManifestSha256: policy.manifestSha256, batchSha256, hyperparameters });
  if (known !== undefined) return { policy: known.policy, metrics: known.state.metrics };
  const started = performance.now();
  const { policy: next, state } = await trainer.loaded.train(
    { run, policy, phase: 'reinforcement', withReference: hyperparameters.klCoefficient > 0, recomputeActivations: config.policy.recomputeActivations },
    async (held) => {
      const rows = input.batch === null ? null : decodeBatch(await trainer.artifacts.get(input.batch));
      const metrics = await policyStep(held, config, input, rows, attempt);
      attempt.signal.throwIfAborted();
      attempt.report({ step, phase: 'writing the checkpoint' });
      return commit(trainer, run, { ...held, policy }, { globalStep: step, warmupStep: held.state.warmupStep, batchSha256, hyperparameters, metrics });
    },
  );
  return { policy: next, metrics: { ...state.metrics, 'time/update': (performance.now() - started) / 1000 } };
}

/** Without rows (every group was dropped) the weights stay; the version grows all the same, so that steps and versions keep in line. */
async function policyStep(
  { engine }: Held,
  config: RunConfig,
  input: UpdateInput,
  rows: readonly BatchRow[] | null,
  { signal, report }: Attempt,
): Promise<Metrics> {
  const { loss } = config;
  const { optimizer, passes, minibatches, microBatchTokens, steps } = config.training;
  const { step, temperature } = input;
  const lr = learningRateAt(step, steps, optimizer);
  if (rows === null) return { lr };
  report({ step, phase: 'training', rows: rows.length });
  const maxLogprobDifference = config.logprobGate.maxAbsDifference;
  const options = { loss, temperature, optimizer: { ...optimizer, lr }, passes, minibatches, microBatchTokens, maxLogprobDifference, signal };
  return { lr, ...metricsOf(await engine.policyStep(rows, options)) };
}

/** Under the names that people look for. */
function metricsOf(metrics: PolicyMetrics): Metrics {
  return {
    loss: metrics.loss,
    grad_norm: metrics.gradNorm,
    entropy: metrics.entropy,
    clip_ratio: metrics.clipFraction,
    kl: metrics.kl,
    ...(metrics.referenceKl === null ? {} : { kl_to_reference: metrics.referenceKl }),
    'sampling/sampling_logp_difference/max': metrics.logprobDifferenceMax,
    'sampling/sampling_logp_difference/mean': metrics.logprobDifferenceMean,
    'tokens/trained': metrics.sampledTokens,
    'tokens/padded': metrics.paddedTokens,
  };
}
