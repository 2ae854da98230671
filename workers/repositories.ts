/** @file What commands need of repositories: an index of one commit, made in the calling process. */
export { type IndexedSource, openSource } from '../activities/repository/openRepository.ts';
export { scoutCacheRoot } from '../activities/repository/records/cache.ts';
