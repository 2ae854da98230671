/** @file Figures of one policy update, over sampled tokens, in float64 and in a fixed order. */
import type { BatchRow } from '../../../core/run/batch.ts';
import type { LossConfig } from '../../../core/run/config.ts';
import type { PolicyMetrics } from './types.ts';

export class PolicyFigures {
  /** Over the first pass, padding included. */
  paddedTokens = 0;
  differenceMax = 0;
  private differenceSum = 0;
  private compared = 0;
  private firstPassTokens = 0;
  private entropySum = 0;
  private klSum = 0;
  private tokens = 0;
  private clipped = 0;
  private readonly losses: number[] = [];
  private readonly norms: number[] = [];

  /** Policy against recorded log-probabilities, before any weight changes. A difference that is not a number counts as infinite. */
  compare(row: BatchRow, policyLogprobs: Float32Array): void {
    row.sampledMask.forEach((sampled, t) => {
      if (!sampled) return;
      const difference = Math.abs((policyLogprobs[t] as number) - (row.behaviorLogprobs[t] as number));
      this.differenceMax = Math.max(this.differenceMax, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
      this.differenceSum += difference;
      this.compared += 1;
    });
  }

  observe(row: BatchRow, policyLogprobs: Float32Array, entropies: Float32Array, loss: LossConfig, firstPass: boolean): void {
    row.sampledMask.forEach((sampled, t) => {
      if (!sampled) return;
      const difference = (policyLogprobs[t] as number) - (row.behaviorLogprobs[t] as number);
      this.tokens += 1;
      if (isClipped(Math.exp(difference), row.advantages[t] as number, loss)) this.clipped += 1;
      if (!firstPass) return;
      this.firstPassTokens += 1;
      this.entropySum += entropies[t] as number;
      this.klSum += Math.exp(-difference) + difference - 1;
    });
  }

  stepDone(loss: number, gradNorm: number): void {
    this.losses.push(loss);
    this.norms.push(gradNorm);
  }

  /** Loss and norm are means over the optimiser steps of the update. */
  metrics(): PolicyMetrics {
    return {
      loss: mean(this.losses),
      gradNorm: mean(this.norms),
      entropy: this.entropySum / this.firstPassTokens,
      clipFraction: this.clipped / this.tokens,
      kl: this.klSum / this.firstPassTokens,
      logprobDifferenceMax: this.differenceMax,
      logprobDifferenceMean: this.differenceSum / this.compared,
      sampledTokens: this.firstPassTokens,
      paddedTokens: this.paddedTokens,
    };
  }
}

/** Where clipping takes the gradient away. */
export function isClipped(ratio: number, advantage: number, { clipLow, clipHigh }: Pick<LossConfig, 'clipLow' | 'clipHigh'>): boolean {
  return (ratio > 1 + clipHigh && advantage > 0) || (ratio < 1 - clipLow && advantage < 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
