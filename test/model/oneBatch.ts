/** @file One batch through a trainer in pieces, with everything that can come up: rows alone, blocks of attention, shared prefixes; and how two results differ. */
import { expect } from 'vitest';
import type { TrainedRow } from '../../activities/policy/training/feeds.ts';
import { GradientSum } from '../../activities/policy/training/gradientSum.ts';
import type { Trainer } from '../../activities/policy/training/trainer.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import type { TrainingGraphKind } from '../../core/model/trainingGraph.ts';
import { randomOf } from '../../core/random.ts';
import { relativeDifference } from './goldenSteps.ts';

/** Rows alone, one long enough for blocks of attention, and siblings behind prefixes of which one is as long. */
function rowsFor(config: ModelConfig): TrainedRow[] {
  const random = randomOf(3);
  const tokens = (length: number) => Int32Array.from({ length }, () => random.integer(0, config.vocabSize - 1));
  const row = (prompt: Int32Array, own: number) => ({
    tokens: Int32Array.from([...prompt, ...tokens(own)]),
    trained: Uint8Array.from({ length: prompt.length + own }, (_, t) => (t > 0 && t >= prompt.length && t % 3 !== 0 ? 1 : 0)),
  });
  const [short, long] = [tokens(30), tokens(270)];
  const none = new Int32Array(0);
  return [row(none, 9), row(none, 40), row(none, 300), row(short, 9), row(short, 14), row(short, 5), row(long, 12), row(long, 33), row(none, 17)];
}

/** With every term of the loss. */
export const policyKind: TrainingGraphKind = {
  kind: 'policy',
  temperature: 0.7,
  loss: { clipLow: 0.2, clipHigh: 0.28, dualClip: 3, klCoefficient: 0.1, entropyCoefficient: 0.01 },
};

export interface BatchResult {
  readonly loss: number;
  readonly logprobs: readonly Float32Array[];
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Releases the trainer. */
export async function resultOf(trainer: Trainer, config: ModelConfig, kind: TrainingGraphKind): Promise<BatchResult> {
  const rows = rowsFor(config);
  const random = randomOf(4);
  const figure = (element: () => number) => rows.map((row) => Float32Array.from(row.tokens, element));
  const policyFigures = {
    advantages: figure(() => random.normal()),
    behaviorLogprobs: figure(() => -3 + random.normal()),
    referenceLogprobs: figure(() => -3),
  };
  const perToken = { weights: figure(() => random.next() / 100), ...(kind.kind === 'policy' ? policyFigures : {}) };
  const gradient = new GradientSum();
  let loss = 0;
  const logprobs: Float32Array[] = [];
  for (const batch of trainer.plan(rows, 640)) {
    const outputs = await trainer.run(kind, rows, batch, perToken, gradient);
    loss += outputs['loss']?.[0] as number;
    logprobs.push(outputs['logprobs'] as Float32Array);
  }
  await trainer.release();
  return { loss, logprobs, gradients: gradient.sums };
}

/** Of gradients, in units of the largest value of each. */
export function largestDifference(recomputed: BatchResult, whole: BatchResult): number {
  expect([...recomputed.gradients.keys()].sort()).toEqual([...whole.gradients.keys()].sort());
  return Math.max(...Array.from(whole.gradients, ([name, gradient]) => relativeDifference(recomputed.gradients.get(name) as Float32Array, gradient)));
}
