/** @file Whether the policy's context holds what its warm-up imitates and the model has positions for it, found before the run starts. */
import type { RunConfig } from '../../core/run/config.ts';
import { demonstrationRows } from './demonstrationRows.ts';
import { initialTokenizer, readPolicyConfigOf } from './initialPolicy.ts';
import { positionsProblem } from './positions.ts';

/** Enough for the lengths that a family draws; a longer one among the later steps is left out there. */
const stepsLookedAt = 16;

/** @throws Error with the key, the expectation, what was found and what to do. */
export async function validateContext(config: RunConfig): Promise<void> {
  const { policy, warmup } = config;
  if (policy.path !== null) {
    const model = await readPolicyConfigOf({ ...policy, path: policy.path }).catch((error: Error) => {
      throw new Error(`policy.path: ${error.message}`, { cause: error });
    });
    const problem = positionsProblem(model.config, policy.contextLength);
    if (problem !== undefined) throw new Error(problem);
  }
  if (warmup.steps === 0 || warmup.chats) return;
  const rowsOf = demonstrationRows(config, await initialTokenizer(policy));
  const steps = Math.min(warmup.steps, stepsLookedAt);
  const longest = Math.max(...Array.from({ length: steps }, (_, index) => rowsOf(index + 1).map(({ tokens }) => tokens.length)).flat());
  if (longest <= policy.contextLength) return;
  throw new Error(
    `policy.contextLength: expected room for the demonstrations of the warm-up, got ${policy.contextLength} tokens, the longest of the first ${steps * warmup.batchSize} has ${longest}: ` +
      'raise it, choose shorter tasks, or set warmup.steps to 0 for a model that knows the turns already',
  );
}
