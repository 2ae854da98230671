/** @file Training batches of a policy on disk, as its own rollouts would make them. */
import { join } from 'node:path';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import type { ArtifactRef, PolicyRef } from '../../core/rollout/types.ts';
import { type BatchRow, encodeBatch } from '../../core/run/batch.ts';
import { everyToken } from '../model/trainingRows.ts';
import { run, type TestedTrainer } from './trainerProcess.ts';

/** Four rows of given and sampled tokens, with the log-probabilities that this very policy gives them, off by `error`. */
export async function batchFor(trainer: TestedTrainer, policy: PolicyRef, step: number, error = 0): Promise<ArtifactRef> {
  const { config: model, weights } = await readPolicyDirectory(join(runPaths(trainer.home, run).root, policy.checkpoint, 'policy'));
  const lengths = [20, 33, 12, 27];
  const rows = lengths.map((length, i) => ({ tokens: Int32Array.from({ length }, (_, t) => (t * 11 + i * 5 + step) % model.vocabSize) }));
  const compute = new Trainer(model, weights, null, null, { threads: 1 });
  const logprobs = await compute.logprobs(
    rows.map(({ tokens }) => everyToken(tokens)),
    weights,
    1,
    4096,
    () => {},
  );
  await compute.release();
  const batch = rows.map(({ tokens }, i): BatchRow => {
    const sampledMask = Uint8Array.from(tokens, (_, t) => (t >= 6 && t % 9 < 5 ? 1 : 0));
    const masked = (valueAt: (t: number) => number) => Float32Array.from(tokens, (_, t) => (sampledMask[t] ? valueAt(t) : 0));
    const ofPolicy = logprobs[i] as Float32Array;
    return {
      taskId: `chain/train/${i}`,
      sibling: 0,
      tokens,
      sampledMask,
      behaviorLogprobs: masked((t) => (ofPolicy[t] as number) + error),
      advantages: masked(() => (i % 2 ? 1 : -0.7)),
    };
  });
  return trainer.artifacts.put(encodeBatch(batch));
}
