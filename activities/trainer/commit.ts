/** @file The commit that ends each of the trainer's activities, and how an attempt finds that an earlier one has made it. */
import { basename } from 'node:path';
import type { PolicyRef } from '../../core/rollout/types.ts';
import type { RunConfig } from '../../core/run/config.ts';
import type { Metrics } from '../../core/run/types.ts';
import { runPaths } from '../artifacts/paths.ts';
import { CheckpointError } from '../checkpoint/checkpointErrors.ts';
import { checkpointName, type TrainingPosition } from '../checkpoint/checkpointName.ts';
import { sha256Of } from '../checkpoint/durableFile.ts';
import { openCheckpoint } from '../checkpoint/findCheckpoint.ts';
import { pruneCheckpoints } from '../checkpoint/prune.ts';
import type { TrainerState } from '../checkpoint/trainerState.ts';
import { moveLatestUpTo, writeCheckpoint } from '../checkpoint/writeCheckpoint.ts';
import { canonicalJson } from '../runs/storedConfig.ts';
import type { TrainerDependencies } from './dependencies.ts';
import type { Held } from './loadedPolicy.ts';
import { modelCard } from './modelCard.ts';

/** What a step adds to the state that it started from. */
export interface Advance extends TrainingPosition {
  readonly batchSha256: string | null;
  readonly hyperparameters: TrainerState['hyperparameters'];
  readonly metrics: Metrics;
}

export interface Committed {
  readonly policy: PolicyRef;
  readonly state: TrainerState;
}

/** Writes what the engine holds as the next checkpoint, then prunes. */
export async function commit(trainer: TrainerDependencies, run: string, from: Held & { readonly policy: PolicyRef }, advance: Advance): Promise<Committed> {
  const config = await trainer.loadConfig(run);
  const { checkpoints } = runPaths(trainer.home, run);
  const state = { ...from.state, ...advance, policyVersion: from.policy.policyVersion + 1, parentManifestSha256: from.policy.manifestSha256 };
  const { weights, moments } = await from.engine.state();
  const policy = await writeCheckpoint(checkpoints, { state, weights, moments, files: from.files, card: modelCard(config, state, from.files) });
  await pruneCheckpoints(checkpoints, basename(policy.checkpoint), config.checkpoints);
  return { policy, state };
}

/**
 * The checkpoint of this position, when an earlier attempt has made it from the same input: nothing is computed twice, and the answer is
 * the same. One that is torn, or made from other input, does not count; the commit will set it aside.
 */
export async function findCommitted(
  trainer: TrainerDependencies,
  run: string,
  position: TrainingPosition,
  madeFrom: Pick<TrainerState, 'parentManifestSha256' | 'batchSha256' | 'hyperparameters'>,
): Promise<Committed | undefined> {
  const { checkpoints } = runPaths(trainer.home, run);
  const name = checkpointName(position);
  try {
    const found = await openCheckpoint(checkpoints, name);
    const same = (Object.keys(madeFrom) as (keyof typeof madeFrom)[]).every((key) => canonicalJson(found.state[key]) === canonicalJson(madeFrom[key]));
    if (!same) return undefined;
    // The attempt that made it may have been killed before it got to this.
    await moveLatestUpTo(checkpoints, name);
    return found;
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

/** Names a configuration, whatever the order of its keys. */
export function configSha256(config: RunConfig): string {
  return sha256Of(canonicalJson(config));
}
