/** @file Activity `update`: one step of reinforcement learning on a batch, and its checkpoint. */
import { decodeBatch } from '../core/run/batch.ts';
import type { RunConfig } from '../core/run/config.ts';
import { learningRateAt } from '../core/run/learningRate.ts';
import type { Metrics, UpdateInput, UpdateResult } from '../core/run/types.ts';
import { heartbeating, type Report } from './heartbeating.ts';
import type { PolicyMetrics } from './policy/training/types.ts';
import type { TrainerActivities } from './signatures.ts';
import { commit, findCommitted } from './trainer/commit.ts';
import type { TrainerDependencies } from './trainer/dependencies.ts';
import { throwTrainerFailure } from './trainer/failures.ts';
import type { Held } from './trainer/loadedPolicy.ts';

export function createUpdate(trainer: TrainerDependencies): TrainerActivities['update'] {
  return (input) => heartbeating((signal, report) => update(trainer, input, signal, report)).catch(throwTrainerFailure);
}

async function update(trainer: TrainerDependencies, input: UpdateInput, signal: AbortSignal, report: Report): Promise<UpdateResult> {
  const { run, step, policy, lr, temperature, loss } = input;
  const config = await trainer.loadConfig(run);
  const madeFrom = { parentManifestSha256: policy.manifestSha256, batchSha256: input.batch?.sha256 ?? null, hyperparameters: { lr, temperature, loss } };
  const known = await findCommitted(trainer, run, { globalStep: step, warmupStep: config.warmup.steps }, madeFrom);
  if (known !== undefined) return { policy: known.policy, metrics: known.state.metrics };
  const started = performance.now();
  const { policy: next, state } = await trainer.loaded.train({ run, policy, phase: 'reinforcement', withReference: loss.klCoefficient > 0 }, async (held) => {
    const metrics = await policyStep(trainer, held, config, input, signal, report);
    signal.throwIfAborted();
    report({ step, phase: 'writing the checkpoint' });
    const { batchSha256, hyperparameters } = madeFrom;
    return commit(trainer, run, { ...held, policy }, { globalStep: step, warmupStep: held.state.warmupStep, batchSha256, hyperparameters, metrics });
  });
  return { policy: next, metrics: { ...state.metrics, 'time/update': (performance.now() - started) / 1000 } };
}

/** Without a batch (every group was dropped) the weights stay; the version grows all the same, so that steps and versions keep in line. */
async function policyStep(
  trainer: TrainerDependencies,
  { engine }: Held,
  config: RunConfig,
  input: UpdateInput,
  signal: AbortSignal,
  report: Report,
): Promise<Metrics> {
  const { optimizer, passes, minibatches, microBatchTokens, steps } = config.training;
  const lr = learningRateAt(input.step, steps, { ...optimizer, lr: input.lr });
  if (input.batch === null) return { lr };
  const rows = decodeBatch(await trainer.artifacts.get(input.batch));
  report({ step: input.step, phase: 'training', rows: rows.length });
  const metrics = await engine.policyStep(rows, {
    loss: input.loss,
    temperature: input.temperature,
    optimizer: { ...optimizer, lr },
    passes,
    minibatches,
    microBatchTokens,
    maxLogprobDifference: config.logprobGate.maxAbsDifference,
    signal,
  });
  return { lr, ...metricsOf(metrics) };
}

/** Under the names that people look for. */
function metricsOf(metrics: PolicyMetrics): Metrics {
  return {
    loss: metrics.loss,
    grad_norm: metrics.gradNorm,
    entropy: metrics.entropy,
    clip_ratio: metrics.clipFraction,
    kl: metrics.kl,
    'sampling/sampling_logp_difference/max': metrics.logprobDifferenceMax,
    'sampling/sampling_logp_difference/mean': metrics.logprobDifferenceMean,
    'tokens/trained': metrics.sampledTokens,
    'tokens/padded': metrics.paddedTokens,
  };
}
