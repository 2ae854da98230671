/** @file trainer_state.json: where training stands, and from what this checkpoint was made. Neither dates nor timings, so that equal training gives equal bytes. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Hyperparameters, Metrics } from '../../core/run/types.ts';
import { CheckpointError } from './checkpointErrors.ts';
import type { TrainingPosition } from './checkpointName.ts';

export interface TrainerState extends TrainingPosition {
  readonly schemaVersion: 1;
  readonly policyVersion: number;
  readonly seed: number;
  /** Of the run's configuration as canonical JSON. */
  readonly configSha256: string;
  /** Manifest of the checkpoint that training went on from; null for the initial policy. */
  readonly parentManifestSha256: string | null;
  /** The training batch of the step; null where it had none (initial policy, warm-up, every group dropped). */
  readonly batchSha256: string | null;
  /** In force when this checkpoint was made; null for the initial policy and in the warm-up, which follows the configuration. */
  readonly hyperparameters: Hyperparameters | null;
  /** Those that do not depend on the clock. */
  readonly metrics: Metrics;
}

export async function readTrainerState(directory: string): Promise<TrainerState> {
  const checkpoint = basename(directory);
  const text = await readFile(join(directory, 'trainer_state.json'), 'utf8');
  const state = JSON.parse(text) as TrainerState;
  if (state.schemaVersion !== 1)
    throw new CheckpointError(checkpoint, `trainer_state.json: expected schemaVersion 1, got ${JSON.stringify(state.schemaVersion)}; another release wrote it`);
  return state;
}
