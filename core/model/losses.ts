/**
 * @file The two losses. Both are Σ_t weight_t · loss_t over tokens: means over tokens or trajectories live in the weights, so a sum over
 * micro-batches is exact. Everything is [N, 1].
 */
import { tokenLogprob } from '../graph/macros.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';

export interface LossValues {
  /** Scalar. */
  readonly loss: Value;
  /** At temperature 1 of the target tokens [N, 1]. */
  readonly logprobs: Value;
  /** nats [N, 1] */
  readonly entropy: Value;
}

/** Cross-entropy of the targets. */
export function supervisedLoss(logits: Value, targets: Value, weights: Value): LossValues {
  const { logprob, entropy } = tokenLogprob(logits, targets);
  return { loss: op.sumAll(op.mul(op.neg(logprob), weights)), logprobs: logprob, entropy };
}

export interface PolicyLossInputs {
  readonly weights: Value;
  readonly advantages: Value;
  readonly behaviorLogprobs: Value;
  /** Present with a KL coefficient. */
  readonly referenceLogprobs?: Value | undefined;
}

export interface PolicyLossOptions {
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly dualClip: number | null;
  readonly klCoefficient: number;
  readonly entropyCoefficient: number;
}

/** Negated clipped surrogate (PPO, arXiv 1707.06347), bounded once more for negative advantages with dual clip (arXiv 1912.09729). */
function clippedSurrogate(policyLogprobs: Value, inputs: PolicyLossInputs, options: PolicyLossOptions): Value {
  const { advantages, behaviorLogprobs } = inputs;
  const ratio = op.exp(op.sub(policyLogprobs, behaviorLogprobs));
  const clipped = op.clip(ratio, 1 - options.clipLow, 1 + options.clipHigh);
  const surrogate = op.min(op.mul(ratio, advantages), op.mul(clipped, advantages));
  if (options.dualClip === null) return op.neg(surrogate);
  const bounded = op.max(surrogate, op.mul(advantages, options.dualClip));
  return op.neg(op.where(op.less(advantages, 0), bounded, surrogate));
}

/** The estimator k3 of KL(policy ‖ reference): exp(d) − d − 1 with d = reference − policy. */
export function klK3(policyLogprobs: Value, referenceLogprobs: Value): Value {
  const difference = op.sub(referenceLogprobs, policyLogprobs);
  return op.sub(op.sub(op.exp(difference), difference), 1);
}

/** Surrogate + klCoefficient · klK3 − entropyCoefficient · entropy. */
export function policyLoss(policyLogprobs: Value, entropy: Value, inputs: PolicyLossInputs, options: PolicyLossOptions): Value {
  let perToken = clippedSurrogate(policyLogprobs, inputs, options);
  if (options.klCoefficient !== 0) {
    if (!inputs.referenceLogprobs) throw new Error(`policyLoss: klCoefficient is ${options.klCoefficient}, which needs reference log-probabilities`);
    perToken = op.add(perToken, op.mul(klK3(policyLogprobs, inputs.referenceLogprobs), options.klCoefficient));
  }
  if (options.entropyCoefficient !== 0) perToken = op.sub(perToken, op.mul(entropy, options.entropyCoefficient));
  return op.sumAll(op.mul(perToken, inputs.weights));
}
