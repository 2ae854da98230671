/**
 * @file The policy loss and its gradient in plain TypeScript: the document of what the training graph computes, and what it is checked against.
 * B trajectories × T tokens; only positions where `sampledMask` is 1 take part.
 */
import type { Aggregation } from '../run/config.ts';

export interface LossInput {
  /** (B, T) of the policy being trained. */
  readonly policyLogprobs: readonly (readonly number[])[];
  /** (B, T) of the policy that sampled. */
  readonly behaviorLogprobs: readonly (readonly number[])[];
  /** (B, T) of the frozen reference policy; needed where klCoefficient is not 0. */
  readonly referenceLogprobs?: readonly (readonly number[])[];
  readonly advantages: readonly (readonly number[])[];
  readonly sampledMask: readonly (readonly number[])[];
}

export interface LossOptions {
  readonly clipLow: number;
  readonly clipHigh: number;
  /** Bound of −surrogate / |advantage| for negative advantages; null is off. */
  readonly dualClip: number | null;
  readonly klCoefficient: number;
  readonly aggregation: Aggregation;
}

export interface LossResult {
  readonly loss: number;
  /** ∂loss / ∂policyLogprobs, (B, T). Exactly 0 where the mask is 0. */
  readonly gradient: readonly (readonly number[])[];
  /** Share of sampled tokens at which the clip took the gradient away. */
  readonly clipFraction: number;
  /** Mean klK3(policy ‖ reference) over sampled tokens; 0 without a reference. */
  readonly kl: number;
}

/** loss = Σ w_t · (−min(ratio · A, clip(ratio, 1 − clipLow, 1 + clipHigh) · A) + klCoefficient · klK3), ratio = exp(policy − behavior). */
export function policyLoss(input: LossInput, options: LossOptions): LossResult {
  const weights = tokenWeights(input.sampledMask, options.aggregation);
  const gradient = input.policyLogprobs.map((row) => row.map(() => 0));
  let [loss, sampled, clipped, kl] = [0, 0, 0, 0];
  for (const [b, row] of input.policyLogprobs.entries()) {
    for (const [t, policyLogprob] of row.entries()) {
      if (at(input.sampledMask, b, t) === 0) continue;
      const surrogate = surrogateOf(policyLogprob - at(input.behaviorLogprobs, b, t), at(input.advantages, b, t), options);
      const divergence = input.referenceLogprobs ? klK3(policyLogprob, at(input.referenceLogprobs, b, t)) : { value: 0, slope: 0 };
      const weight = weights[b] as number;
      loss += weight * (surrogate.value + options.klCoefficient * divergence.value);
      (gradient[b] as number[])[t] = weight * (surrogate.slope + options.klCoefficient * divergence.slope);
      sampled += 1;
      clipped += surrogate.clipped ? 1 : 0;
      kl += divergence.value;
    }
  }
  return { loss, gradient, clipFraction: clipped / Math.max(1, sampled), kl: kl / Math.max(1, sampled) };
}

function at(matrix: readonly (readonly number[])[], b: number, t: number): number {
  const value = matrix[b]?.[t];
  if (value === undefined) throw new Error(`policyLoss: expected a value at row ${b}, token ${t}, got none; all inputs are (B, T)`);
  return value;
}

/** What one sampled token of row b weighs. `tokenMean`: 1 ÷ tokens of the step. `trajectoryMean`: 1 ÷ (rows with tokens · tokens of the row). */
export function tokenWeights(sampledMask: readonly (readonly number[])[], aggregation: Aggregation): readonly number[] {
  const counts = sampledMask.map((row) => row.reduce((sum, bit) => sum + bit, 0));
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  const rows = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 0 : aggregation === 'tokenMean' ? 1 / tokens : 1 / (rows * count)));
}

interface TokenLoss {
  readonly value: number;
  /** With respect to the policy's log-probability. */
  readonly slope: number;
}

function surrogateOf(logRatio: number, advantage: number, options: LossOptions): TokenLoss & { readonly clipped: boolean } {
  const ratio = Math.exp(logRatio);
  const bounded = Math.min(1 + options.clipHigh, Math.max(1 - options.clipLow, ratio));
  const clipped = bounded * advantage < ratio * advantage;
  const objective = clipped ? bounded * advantage : ratio * advantage;
  if (options.dualClip !== null && advantage < 0 && objective < options.dualClip * advantage) {
    return { value: -options.dualClip * advantage, slope: 0, clipped: true };
  }
  return { value: -objective, slope: clipped ? 0 : -ratio * advantage, clipped };
}

/** KL(policy ‖ reference) by Schulman's third estimator: exp(d) − 1 − d with d = reference − policy; never negative. */
export function klK3(policyLogprob: number, referenceLogprob: number): TokenLoss {
  const difference = referenceLogprob - policyLogprob;
  return { value: Math.exp(difference) - 1 - difference, slope: 1 - Math.exp(difference) };
}
