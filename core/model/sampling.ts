/**
 * @file One token from one row of logits: greedy, or inverse CDF over the tokens that top-k and then top-p keep.
 * This is the definition of sampling for every batch shape: float64 arithmetic on float32 logits, sums in the order of the vocabulary,
 * one uniform number a token, so that the same logits and the same stream give the same token everywhere.
 */

import { expOfNonPositive } from './exponential.ts';

export interface SamplingRule {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 keeps every token. */
  readonly topK: number;
  /** 1 keeps every token. */
  readonly topP: number;
}

export interface SampledToken {
  readonly token: number;
  /** Natural log at temperature 1 over the whole vocabulary, whatever the rule. */
  readonly logprob: number;
}

/** The policy's weights are broken: the same input meets it again. */
export class NonFiniteLogits extends Error {
  override readonly name = 'NonFiniteLogits';
}

/** Holds the scratch space for V logits. */
export class Sampler {
  readonly #weights: Float64Array;

  constructor(vocabSize: number) {
    this.#weights = new Float64Array(vocabSize);
  }

  /**
   * `uniform` in [0, 1) is used up even when the rule is greedy, so that streams stay aligned.
   * @throws NonFiniteLogits
   */
  sample(logits: Float32Array, rule: SamplingRule, uniform: number): SampledToken {
    const weights = this.#weights.subarray(0, logits.length);
    const best = argmax(logits);
    const top = logits[best] as number;
    let total = fillWeights(weights, logits, top, 1);
    const logTotal = Math.log(total);
    if (!Number.isFinite(logTotal))
      throw new NonFiniteLogits(`sampling: expected finite logits, the largest is ${top} and their sum ${logTotal}; the policy's weights are not finite`);
    if (rule.temperature === 0) return { token: best, logprob: -logTotal };
    if (rule.temperature !== 1) total = fillWeights(weights, logits, top, rule.temperature);
    if (rule.topK > 0 && rule.topK < logits.length) total = keepTopK(weights, rule.topK);
    if (rule.topP < 1) total = keepTopP(weights, rule.topP);
    const token = inverseCdf(weights, uniform * total);
    return { token, logprob: (logits[token] as number) - top - logTotal };
  }
}

/** The `count` likeliest tokens with their log-probabilities at temperature 1, the likeliest first; equals in the order of the vocabulary. */
export function likeliestTokens(logits: Float32Array, count: number): SampledToken[] {
  const top = logits[argmax(logits)] as number;
  let total = 0;
  for (const logit of logits) total += expOfNonPositive(logit - top);
  const logTotal = Math.log(total);
  const chosen: number[] = [];
  for (let token = 0; token < logits.length; token++) {
    if (chosen.length === count && !((logits[token] as number) > (logits[chosen[count - 1] as number] as number))) continue;
    let place = chosen.length;
    while (place > 0 && (logits[token] as number) > (logits[chosen[place - 1] as number] as number)) place -= 1;
    chosen.splice(place, 0, token);
    if (chosen.length > count) chosen.pop();
  }
  return chosen.map((token) => ({ token, logprob: (logits[token] as number) - top - logTotal }));
}

/** The lowest index wins a tie. */
function argmax(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if ((logits[token] as number) > (logits[best] as number)) best = token;
  return best;
}

/** weights ← exp((logits − top) / temperature); answers with their sum. */
function fillWeights(weights: Float64Array, logits: Float32Array, top: number, temperature: number): number {
  let total = 0;
  const cooling = 1 / temperature;
  for (let token = 0; token < logits.length; token++) {
    const weight = expOfNonPositive(((logits[token] as number) - top) * cooling);
    weights[token] = weight;
    total += weight;
  }
  return total;
}

/** Keeps the k heaviest; among equals those with the lowest index. Answers with their sum, as do those below. */
function keepTopK(weights: Float64Array, k: number): number {
  const sorted = weights.slice().sort();
  return keepAbove(weights, sorted, sorted.length - k);
}

/** Keeps the fewest heaviest tokens whose weights reach `p` of the total; at least one. */
function keepTopP(weights: Float64Array, p: number): number {
  const sorted = weights.slice().sort();
  const wanted = p * sorted.reduce((sum, weight) => sum + weight, 0);
  let from = sorted.length - 1;
  for (let sum = sorted[from] as number; sum < wanted && from > 0; ) {
    from -= 1;
    sum += sorted[from] as number;
  }
  return keepAbove(weights, sorted, from);
}

/** Zeroes all but the weights at sorted[from…]; ties at the edge go to the lowest indices. */
function keepAbove(weights: Float64Array, sorted: Float64Array, from: number): number {
  const edge = sorted[from] as number;
  let ties = 0;
  for (let i = from; i < sorted.length && sorted[i] === edge; i++) ties += 1;
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token] as number;
    if (weight > edge) continue;
    if (weight === edge && ties > 0) ties -= 1;
    else weights[token] = 0;
  }
  return weights.reduce((sum, weight) => sum + weight, 0);
}

/** First token whose cumulative weight passes the target. */
function inverseCdf(weights: Float64Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token] as number;
    if (weight === 0) continue;
    sum += weight;
    last = token;
    if (sum > target) return token;
  }
  return last;
}
