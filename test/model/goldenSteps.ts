/** @file The step of the golden files, computed by us: rows, loss and gradients, and how far they are from the wanted ones. */
import { expect } from 'vitest';
import { GradientSum } from '../../activities/policy/training/gradientSum.ts';
import type { MicroBatch } from '../../activities/policy/training/microBatches.ts';
import type { Trainer } from '../../activities/policy/training/trainer.ts';
import { tokenWeights } from '../../core/model/tokenWeights.ts';
import type { BatchRow } from '../../core/run/batch.ts';
import type { LossConfig } from '../../core/run/config.ts';
import type { GoldenModel } from './goldenModels.ts';

export function maxDifference(actual: Float32Array, wanted: Float32Array): number {
  expect(actual.length).toBe(wanted.length);
  return actual.reduce((max, value, i) => Math.max(max, Math.abs(value - (wanted[i] as number))), 0);
}

/** Largest difference in units of the largest wanted magnitude. */
export function relativeDifference(actual: Float32Array, wanted: Float32Array): number {
  return maxDifference(actual, wanted) / wanted.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-12);
}

export function lossOf({ expected }: GoldenModel): LossConfig {
  return { clipLow: expected.clipLow, clipHigh: expected.clipHigh, dualClip: null, klCoefficient: 0, entropyCoefficient: 0, aggregation: 'tokenMean' };
}

/** The golden file leaves out token 0, which nothing predicts. */
export function rowsOf({ expected }: GoldenModel): BatchRow[] {
  return expected.inputIds.map((tokens, row) => ({
    taskId: 'golden',
    sibling: row,
    tokens: Int32Array.from(tokens),
    sampledMask: Uint8Array.from([0, ...(expected.sampledMask[row] as number[])]),
    behaviorLogprobs: Float32Array.from([0, ...(expected.behaviorLogprobs[row] as number[])]),
    advantages: Float32Array.from([0, ...(expected.advantages[row] as number[])]),
  }));
}

const trainedRowsOf = (model: GoldenModel) => rowsOf(model).map((row) => ({ ...row, trained: row.sampledMask }));

export async function lossAndGradients(model: GoldenModel, trainer: Trainer): Promise<{ loss: number; gradients: ReadonlyMap<string, Float32Array> }> {
  const rows = trainedRowsOf(model);
  const gradient = new GradientSum();
  const perToken = {
    weights: tokenWeights(
      rows.map((row) => row.sampledMask),
      'tokenMean',
    ),
    advantages: rows.map((row) => row.advantages),
    behaviorLogprobs: rows.map((row) => row.behaviorLogprobs),
  };
  const [batch] = trainer.plan(rows, 4096);
  const outputs = await trainer.run({ kind: 'policy', temperature: 1, loss: lossOf(model) }, rows, batch as MicroBatch, perToken, gradient);
  await trainer.release();
  return { loss: (outputs['loss'] as Float32Array)[0] as number, gradients: gradient.sums };
}
