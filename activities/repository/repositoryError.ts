/** @file A repository that cannot be read as asked: trying again is no help. */

export class RepositoryError extends Error {
  override readonly name = 'RepositoryError';
}
