/** @file What the stages of scouting work with; built in workers/scout.ts. */
import type { IndexedRepository, OpenRepository } from '../../core/scout/types.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import type { Ask } from './ask.ts';

export interface ScoutDependencies {
  readonly home: string;
  readonly store: ArtifactStore;
  readonly ask: Ask;
  readonly openRepository: (repository: IndexedRepository) => Promise<OpenRepository>;
}
