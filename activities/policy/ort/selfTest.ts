/**
 * @file Whether a provider computes what the CPU does: one policy update's loss, log-probabilities and every gradient of a small model that has
 * all the parts (grouped queries, norms of queries and keys, rotary positions). A wrong gradient can stand behind a right loss.
 */

import type { ModelConfig } from '../../../core/model/config.ts';
import { initialWeights } from '../../../core/model/initialWeights.ts';
import { presetConfig } from '../../../core/model/presets.ts';
import { randomOf } from '../../../core/random.ts';
import { GradientSum } from '../training/gradientSum.ts';
import { Trainer } from '../training/trainer.ts';
import type { ProviderName } from './provider.ts';
import type { FeedArray } from './session.ts';

export type Outputs = Readonly<Record<string, FeedArray>>;

/** Of the largest value of a tensor. Rounding differs by 1e-5; a wrong kernel by about 1. */
const tolerance = 1e-3;

const config: ModelConfig = {
  ...presetConfig('nano', 61),
  hiddenSize: 64,
  intermediateSize: 96,
  layerCount: 2,
  headDim: 16,
  modelType: 'qwen3',
  queryKeyNorm: true,
};

/** Undefined when all is well, else the first disagreement. @throws what the provider throws. */
export async function providerProblem(provider: ProviderName): Promise<string | undefined> {
  return disagreement(await update('cpu'), await update(provider));
}

/** What differs most between two sets of tensors, if it differs too much. */
export function disagreement(expected: Outputs, measured: Outputs): string | undefined {
  const wrong = Object.entries(expected).flatMap(([name, values]) => {
    const difference = relativeDifference(values as Float32Array, measured[name] as Float32Array | undefined);
    return difference <= tolerance ? [] : [{ name, difference }];
  });
  const [worst] = wrong.toSorted((a, b) => b.difference - a.difference);
  if (worst === undefined) return undefined;
  const parts = `${wrong.length} of ${Object.keys(expected).length} tensors`;
  return `it computes ${parts} otherwise than the CPU, ${worst.name} by ${worst.difference.toPrecision(2)} of its largest value (at most ${tolerance} is rounding)`;
}

/** NaN and a missing tensor are infinitely wrong. */
function relativeDifference(expected: Float32Array, measured: Float32Array | undefined): number {
  if (measured?.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs((expected[i] as number) - (measured[i] as number));
    if (Number.isNaN(distance)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, distance);
    largest = Math.max(largest, Math.abs(expected[i] as number));
  }
  return difference === 0 ? 0 : difference / largest;
}

const loss = { clipLow: 0.2, clipHigh: 0.28, dualClip: 3, klCoefficient: 0, entropyCoefficient: 0.01 };

async function update(provider: ProviderName): Promise<Outputs> {
  const random = randomOf(1);
  const rows = [23, 17].map((length) => {
    const tokens = Int32Array.from({ length }, () => random.integer(0, config.vocabSize - 1));
    return { tokens, trained: tokens.map((_, i) => (i > 4 ? 1 : 0)) };
  });
  const perToken = (make: () => number) => rows.map(({ tokens }) => Float32Array.from(tokens, make));
  const weights = perToken(() => 1 / 30);
  const figures = { weights, advantages: perToken(() => random.normal()), behaviorLogprobs: perToken(() => -4 + 0.5 * random.normal()) };
  const trainer = new Trainer(config, initialWeights(config, 1), null, null, { provider });
  try {
    const [batch] = trainer.plan(rows, 4096);
    if (batch === undefined) throw new Error('self-test: expected one micro-batch, got none');
    return await trainer.run({ kind: 'policy', temperature: 1, loss }, rows, batch, figures, new GradientSum());
  } finally {
    await trainer.release();
  }
}
