/** @file A configuration that cannot be carried out: trying again is no help. */

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
