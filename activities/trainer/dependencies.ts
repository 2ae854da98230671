/** @file What the trainer's activities work with; put together in workers/trainer.ts. */
import type { ArtifactStore } from '../artifacts/store.ts';
import type { Report } from '../heartbeating.ts';
import type { LoadRunConfig } from '../runs/storedConfig.ts';
import type { LoadedPolicy } from './loadedPolicy.ts';

export interface TrainerDependencies {
  /** TURNWISE_HOME. */
  readonly home: string;
  readonly artifacts: ArtifactStore;
  readonly loadConfig: LoadRunConfig;
  readonly loaded: LoadedPolicy;
}

/** What an activity is given by the attempt that it belongs to. */
export interface Attempt {
  readonly signal: AbortSignal;
  readonly report: Report;
}
