/** @file Which sandbox a worker is asked to use: `TURNWISE_SANDBOX`, read the same by the worker that plays rollouts and the one that judges programs. */

const backends = ['auto', 'embedded', 'docker'] as const;

export type RequestedBackend = (typeof backends)[number];

/** @throws Error naming the variable when it holds anything else. */
export function requestedBackend(): RequestedBackend {
  const requested = process.env['TURNWISE_SANDBOX'] ?? 'auto';
  const known = backends.find((name) => name === requested);
  if (known === undefined) throw new Error(`TURNWISE_SANDBOX: expected ${backends.join(', ')}, got '${requested}'`);
  return known;
}
