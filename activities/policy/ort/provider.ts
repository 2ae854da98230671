/** @file Names of the execution providers, and the one that sessions of this process use. */

export const providerNames = ['cpu', 'cuda', 'webgpu'] as const;
export type ProviderName = (typeof providerNames)[number];

let chosen: ProviderName | undefined;

/** Told once, by a worker that has settled it, and passed on to its threads by the environment. */
export function useProvider(provider: ProviderName): void {
  chosen = provider;
  process.env[variable] = provider;
}

/** The settled one; `cpu` where nobody has settled any. */
export function providerInUse(): ProviderName {
  return chosen ?? providerNames.find((name) => name === process.env[variable]) ?? 'cpu';
}

const variable = 'TURNWISE_SETTLED_PROVIDER';
