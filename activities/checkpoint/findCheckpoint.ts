/** @file Finding the newest checkpoint that holds what its manifest says; those that do not are set aside with a warning. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyRef } from '../../core/rollout/types.ts';
import { isFileError } from '../artifacts/diskFull.ts';
import { CheckpointError } from './checkpointErrors.ts';
import { inTrainingOrder } from './checkpointName.ts';
import { verifyCheckpoint } from './manifest.ts';
import { setAside } from './setAside.ts';
import { readTrainerState, type TrainerState } from './trainerState.ts';

export interface FoundCheckpoint {
  readonly policy: PolicyRef;
  readonly state: TrainerState;
}

export interface NewestCheckpoint {
  /** Undefined when there is none. */
  readonly newest: FoundCheckpoint | undefined;
  readonly warnings: readonly string[];
}

/** Reads every byte of the newest checkpoint, and of those that it has to refuse. */
export async function findNewestCheckpoint(checkpoints: string): Promise<NewestCheckpoint> {
  const warnings: string[] = [];
  for (const name of (await listCheckpoints(checkpoints)).toReversed()) {
    try {
      return { newest: await openCheckpoint(checkpoints, name), warnings };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      const aside = await setAside(join(checkpoints, name), 'refused');
      warnings.push(`${error.message}. Refused, kept as checkpoints/${aside}; the checkpoint before it is used`);
    }
  }
  return { newest: undefined, warnings };
}

/** @throws CheckpointError when it is not whole, or not the one that `manifestSha256` names. */
export async function openCheckpoint(checkpoints: string, name: string, manifestSha256?: string): Promise<FoundCheckpoint> {
  const directory = join(checkpoints, name);
  const verified = await verifyCheckpoint(directory, manifestSha256);
  const state = await readTrainerState(directory);
  return { policy: { policyVersion: state.policyVersion, checkpoint: `checkpoints/${name}`, manifestSha256: verified }, state };
}

/** Names, oldest first; complete or not. */
export async function listCheckpoints(checkpoints: string): Promise<readonly string[]> {
  const entries = await readdir(checkpoints).catch((error: unknown) => {
    if (isFileError(error, 'ENOENT')) return [];
    throw error;
  });
  return inTrainingOrder(entries);
}
