/** @file The learning rate at a step, against values worked out by hand. */
import { expect, test } from 'vitest';
import { learningRateAt } from '../../core/run/learningRate.ts';

const base = { lr: 1, lrWarmupSteps: 4, lrEndFraction: 0.2 } as const;
const rates = (lrSchedule: 'constant' | 'linear' | 'cosine', steps: readonly number[], of = 10) =>
  steps.map((step) => learningRateAt(step, of, { ...base, lrSchedule }));
const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12));

test('it rises linearly to its full value, which the first step is a fraction of', () => {
  expect(rates('constant', [1, 2, 4, 5, 10])).toEqual(close([0.25, 0.5, 1, 1, 1]));
  expect(learningRateAt(1, 10, { ...base, lrSchedule: 'constant', lrWarmupSteps: 0 })).toBe(1);
});

test('linear and cosine end at the fraction, and stay there past the last step', () => {
  expect(rates('linear', [5, 6, 11, 30])).toEqual(close([1 - 0.8 * 0.4, 1 - 0.8 * 0.5, 0.2, 0.2]));
  expect(rates('cosine', [6, 11, 30])).toEqual(close([0.6, 0.2, 0.2]));
  expect(rates('cosine', [1])).toEqual(close([0.25]));
});
