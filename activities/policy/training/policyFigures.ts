/** @file Figures of one policy update, over sampled tokens, in float64 and in a fixed order. */
import { klK3 } from '../../../core/gtpo/loss.ts';
import type { BatchRow } from '../../../core/run/batch.ts';
import type { LossConfig } from '../../../core/run/config.ts';
import type { PolicyMetrics } from './types.ts';

/** Without a KL coefficient there are no log-probabilities of the reference. */
interface ObservedRow extends BatchRow {
  readonly referenceLogprobs: Float32Array | null;
}

export class PolicyFigures {
  /** Over the first pass, padding included. */
  paddedTokens = 0;
  differenceMax = 0;
  private differenceSum = 0;
  private compared = 0;
  private firstPassTokens = 0;
  private entropySum = 0;
  private klSum = 0;
  private referenceKlSum: number | null = null;
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

  observe(row: ObservedRow, policyLogprobs: Float32Array, entropies: Float32Array, loss: LossConfig, firstPass: boolean): void {
    row.sampledMask.forEach((sampled, t) => {
      if (!sampled) return;
      const [policy, behavior] = [policyLogprobs[t] as number, row.behaviorLogprobs[t] as number];
      this.tokens += 1;
      if (isClipped(Math.exp(policy - behavior), row.advantages[t] as number, loss)) this.clipped += 1;
      if (!firstPass) return;
      this.firstPassTokens += 1;
      this.entropySum += entropies[t] as number;
      this.klSum += klK3(policy, behavior).value;
      if (row.referenceLogprobs !== null) this.referenceKlSum = (this.referenceKlSum ?? 0) + klK3(policy, row.referenceLogprobs[t] as number).value;
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
      referenceKl: this.referenceKlSum === null ? null : this.referenceKlSum / this.firstPassTokens,
      logprobDifferenceMax: this.differenceMax,
      logprobDifferenceMean: this.differenceSum / this.compared,
      sampledTokens: this.firstPassTokens,
      paddedTokens: this.paddedTokens,
    };
  }
}

/** Where clipping takes the gradient away; dual clip does so where a negative advantage would cost too much. */
export function isClipped(ratio: number, advantage: number, { clipLow, clipHigh, dualClip }: Pick<LossConfig, 'clipLow' | 'clipHigh' | 'dualClip'>): boolean {
  if (advantage > 0) return ratio > 1 + clipHigh;
  return advantage < 0 && (ratio < 1 - clipLow || (dualClip !== null && ratio > dualClip));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
