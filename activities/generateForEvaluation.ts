/** @file Activity `generateForEvaluation`: as `generate`, with quantised weights. Its segments say so and have no log-probabilities. */
import { bitsOf } from '../core/model/quantisation.ts';
import { heartbeating } from './heartbeating.ts';
import { type GenerateDependencies, nextTurn, otherWeights, throwGenerateFailure } from './policy/nextTurn.ts';
import type { PolicyActivities } from './signatures.ts';

export function createGenerateForEvaluation(dependencies: GenerateDependencies): PolicyActivities['generateForEvaluation'] {
  return (input) =>
    heartbeating(async (signal) => {
      const { weights, ...turn } = input;
      if (!Object.hasOwn(bitsOf, weights)) throw otherWeights(`weights ${Object.keys(bitsOf).join(' or ')}`, weights);
      return nextTurn(dependencies, turn, weights, signal);
    }).catch(throwGenerateFailure);
}
