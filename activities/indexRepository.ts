/** @file Activity `indexRepository`: reads the tree of one commit, or a folder, and keeps what it found of every file in the cache. */
import { ApplicationFailure } from '@temporalio/common';
import type { RepositoryActivities } from '../core/scout/types.ts';
import { heartbeating } from './heartbeating.ts';
import { openSource } from './repository/openRepository.ts';
import { scoutCacheRoot } from './repository/records/cache.ts';
import { RepositoryError } from './repository/repositoryError.ts';

export function createIndexRepository({ home }: { readonly home: string }): RepositoryActivities['indexRepository'] {
  return (source) => heartbeating(async (signal) => (await openSource(source, scoutCacheRoot(home), signal).catch(throwForGood)).index.repository);
}

/** What is wrong with a repository stays wrong when it is tried again. */
export function throwForGood(error: unknown): never {
  if (error instanceof RepositoryError) throw ApplicationFailure.nonRetryable(error.message, error.name);
  throw error;
}
