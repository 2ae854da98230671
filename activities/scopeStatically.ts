/** @file Activity `scopeStatically`: ranks files and entities for an issue, without a model. */
import { scopeDefaults, scopeMost, staticScope } from '../core/scout/staticScope.ts';
import type { IndexedRepository, RepositoryActivities } from '../core/scout/types.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import { heartbeating } from './heartbeating.ts';
import { throwForGood } from './indexRepository.ts';
import type { IndexedSource } from './repository/openRepository.ts';

export interface ScopeStaticallyDependencies {
  readonly store: ArtifactStore;
  readonly openRepository: (repository: IndexedRepository) => Promise<IndexedSource>;
}

export function createScopeStatically({ store, openRepository }: ScopeStaticallyDependencies): RepositoryActivities['scopeStatically'] {
  return ({ repository, issue, targets = scopeDefaults.targets, files = scopeDefaults.files }) =>
    heartbeating(async () => {
      const { index } = await openRepository(repository).catch(throwForGood);
      const limits = { targets: Math.min(targets, scopeMost.targets), files: Math.min(files, scopeMost.files) };
      return staticScope(index, await store.fromText(issue), limits);
    });
}
