/** @file One policy update: the log-probability gate, then passes × minibatches optimiser steps of the clipped policy gradient. */
import type { Weights } from '../../../core/model/config.ts';
import { tokenWeights } from '../../../core/model/tokenWeights.ts';
import type { BatchRow } from '../../../core/run/batch.ts';
import { LogprobGateClosed } from './errors.ts';
import { perTokenRows, type TrainedRow } from './feeds.ts';
import { GradientSum } from './gradientSum.ts';
import { cellsOf } from './microBatches.ts';
import { PolicyFigures } from './policyFigures.ts';
import type { CheckPoint } from './sessions.ts';
import type { Trainer } from './trainer.ts';
import type { PolicyMetrics, PolicyStepOptions } from './types.ts';

export type PolicyStepSettings = Omit<PolicyStepOptions, 'signal'>;

/** Trained are the tokens that the policy sampled. */
type SampledRow = BatchRow & TrainedRow;

/** A row with what the loss compares it to, all at the temperature of the sampling. */
export interface LossRow extends SampledRow {
  readonly referenceLogprobs: Float32Array | null;
}

export async function policyStep(trainer: Trainer, given: readonly BatchRow[], settings: PolicyStepSettings, check: CheckPoint): Promise<PolicyMetrics> {
  const sampled = given.flatMap((row): SampledRow[] => (row.sampledMask.includes(1) ? [{ ...row, trained: row.sampledMask }] : []));
  if (sampled.length === 0) throw new Error(`policyStep: expected at least one sampled token, got none in ${given.length} rows`);
  const figures = new PolicyFigures();
  const gatedFirst = settings.temperature !== 1 || settings.minibatches > 1;
  if (gatedFirst) await gate(trainer, sampled, settings, figures, check);
  const rows = await lossRows(trainer, sampled, settings, check);
  for (let pass = 0; pass < settings.passes; pass++) {
    for (const minibatch of minibatchesOf(rows, settings.minibatches)) {
      const isGate = !gatedFirst && pass === 0;
      await optimizerStep(trainer, minibatch, settings, { figures, firstPass: pass === 0, isGate }, check);
    }
  }
  return figures.metrics();
}

/** A forward pass of its own: needed unless the first optimiser step sees all rows, at temperature 1. */
async function gate(trainer: Trainer, rows: readonly SampledRow[], settings: PolicyStepSettings, figures: PolicyFigures, check: CheckPoint): Promise<void> {
  const logprobs = await trainer.logprobs(rows, trainer.state.weights, 1, settings.microBatchTokens, check);
  rows.forEach((row, i) => {
    figures.compare(row, logprobs[i] as Float32Array);
  });
  closeGate(figures, settings);
}

function closeGate(figures: PolicyFigures, { maxLogprobDifference }: PolicyStepSettings): void {
  if (!(figures.differenceMax <= maxLogprobDifference)) throw new LogprobGateClosed(figures.differenceMax, maxLogprobDifference);
}

async function lossRows(trainer: Trainer, rows: readonly SampledRow[], settings: PolicyStepSettings, check: CheckPoint): Promise<LossRow[]> {
  const { temperature, loss, microBatchTokens } = settings;
  const logprobs = (weights: Weights) => trainer.logprobs(rows, weights, temperature, microBatchTokens, check);
  const reference = loss.klCoefficient === 0 ? null : await logprobs(referenceOf(trainer, loss.klCoefficient));
  // Recorded at temperature 1, but the ratio belongs to the distribution that was sampled from: these weights still give it.
  const behavior = temperature === 1 ? null : await logprobs(trainer.state.weights);
  return rows.map((row, i) => ({ ...row, behaviorLogprobs: behavior?.[i] ?? row.behaviorLogprobs, referenceLogprobs: reference?.[i] ?? null }));
}

function referenceOf(trainer: Trainer, coefficient: number): Weights {
  if (!trainer.reference) throw new Error(`policyStep: klCoefficient is ${coefficient}, but the engine was loaded without a reference policy`);
  return trainer.reference;
}

/** Contiguous shares of the rows, so that siblings stay together; empty ones are left out. */
function minibatchesOf(rows: readonly LossRow[], count: number): LossRow[][] {
  const shares = Array.from({ length: count }, (): LossRow[] => []);
  rows.forEach((row, i) => {
    shares[Math.floor((i * count) / rows.length)]?.push(row);
  });
  return shares.filter((share) => share.length > 0);
}

interface Observing {
  readonly figures: PolicyFigures;
  readonly firstPass: boolean;
  /** Compare the forward pass with the recorded log-probabilities before the weights change. */
  readonly isGate: boolean;
}

async function optimizerStep(trainer: Trainer, rows: readonly LossRow[], settings: PolicyStepSettings, observing: Observing, check: CheckPoint): Promise<void> {
  const { figures, firstPass, isGate } = observing;
  const gradient = new GradientSum();
  const perToken = perTokenInputs(rows, settings);
  const kind = { kind: 'policy', temperature: settings.temperature, loss: settings.loss } as const;
  let loss = 0;
  for (const batch of trainer.plan(rows, settings.microBatchTokens)) {
    check();
    const outputs = await trainer.run(kind, rows, batch, perToken, gradient, check);
    loss += (outputs['loss'] as Float32Array)[0] as number;
    const entropies = perTokenRows(rows, batch, outputs['entropy'] as Float32Array);
    for (const [member, logprobs] of perTokenRows(rows, batch, outputs['logprobs'] as Float32Array)) {
      const row = rows[member] as LossRow;
      if (isGate) figures.compare(row, logprobs);
      figures.observe(row, logprobs, entropies.get(member) as Float32Array, settings.loss, firstPass);
    }
    figures.paddedTokens += firstPass ? cellsOf(batch) : 0;
  }
  if (isGate) closeGate(figures, settings);
  check();
  figures.stepDone(loss, gradient.apply(trainer.state, settings.optimizer));
}

function perTokenInputs(rows: readonly LossRow[], { loss }: PolicyStepSettings): Record<string, readonly Float32Array[]> {
  const masks = rows.map((row) => row.sampledMask);
  return {
    weights: tokenWeights(masks, loss.aggregation),
    advantages: rows.map((row) => row.advantages),
    behaviorLogprobs: rows.map((row) => row.behaviorLogprobs),
    ...(loss.klCoefficient === 0 ? {} : { referenceLogprobs: rows.map((row) => row.referenceLogprobs as Float32Array) }),
  };
}
