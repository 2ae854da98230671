/** @file What scripts need of the home directory: where things lie, a run's configuration, checkpoints, artifacts. */
export { artifactRoot, runPaths, turnwiseHome } from '../activities/artifacts/paths.ts';
export { ArtifactStore } from '../activities/artifacts/store.ts';
export { listCheckpoints, openCheckpoint } from '../activities/checkpoint/findCheckpoint.ts';
export { type NamedPolicy, namedPolicy } from '../activities/checkpoint/namedPolicy.ts';
export { readStoredConfig } from '../activities/runs/storedConfig.ts';
