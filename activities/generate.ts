/**
 * @file Activity `generate`: the policy's next turn of a trajectory that may be trained on, sampled with the weights that are trained. Concurrent calls
 * share decoding batches and do not notice one another.
 */
import { heartbeating } from './heartbeating.ts';
import { type GenerateDependencies, nextTurn, otherWeights, throwGenerateFailure } from './policy/nextTurn.ts';
import type { PolicyActivities } from './signatures.ts';

export function createGenerate(dependencies: GenerateDependencies): PolicyActivities['generate'] {
  return (input) =>
    heartbeating(async (signal) => {
      refuseChosenWeights({ input, policy: input.policy });
      return nextTurn(dependencies, input, 'float32', signal);
    }).catch(throwGenerateFailure);
}

/** No type admits them. Ignored, they would be a key without effect, and whoever wrote it would think that it had one. */
function refuseChosenWeights(parts: Readonly<Record<string, object>>): void {
  for (const [name, part] of Object.entries(parts)) {
    if ('weights' in part) throw otherWeights(`${name} without weights, since what is trained on is sampled with the weights that are trained`, part.weights);
  }
}
