/** @file The learning rate at a step: a linear rise, then the schedule. A pure function of the step, so that it needs no state. */
import type { OptimizerConfig } from './config.ts';

/** `step` counts from 1 to `steps`; past the end the schedule stays where it ended. */
export function learningRateAt(step: number, steps: number, optimizer: Pick<OptimizerConfig, 'lr' | 'lrWarmupSteps' | 'lrSchedule' | 'lrEndFraction'>): number {
  const { lr, lrWarmupSteps, lrSchedule, lrEndFraction } = optimizer;
  const rise = Math.min(1, step / Math.max(1, lrWarmupSteps));
  const done = Math.min(1, (step - 1) / Math.max(1, steps));
  return lr * rise * (lrEndFraction + (1 - lrEndFraction) * remaining[lrSchedule](done));
}

/** Share of the way from lrEndFraction to 1, at a share of the steps done. */
const remaining: { readonly [Schedule in OptimizerConfig['lrSchedule']]: (done: number) => number } = {
  constant: () => 1,
  linear: (done) => 1 - done,
  cosine: (done) => (1 + Math.cos(Math.PI * done)) / 2,
};
