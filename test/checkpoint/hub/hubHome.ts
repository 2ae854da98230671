/** @file A machine that has nothing from the hub yet, and a hub that has the golden qwen2-tiny as org/tiny. */
import { join } from 'node:path';
import { vi } from 'vitest';
import { temporaryDirectory } from '../../support/temporaryDirectory.ts';
import { type HubServer, type HubServerOptions, startHub } from './hubServer.ts';

export const golden = join(process.env['TURNWISE_GOLDEN'] ?? join(import.meta.dirname, '..', '..', 'golden'), 'models');
export const tiny = join(golden, 'qwen2-tiny');
export const commit = 'c0ffee'.padEnd(40, '0');

/** A directory with caches in `hf` and `turnwise`, which the environment names until `vi.unstubAllEnvs`; nobody is logged in. */
export async function hubHome(name: string): Promise<string> {
  const home = await temporaryDirectory(name);
  for (const [key, value] of Object.entries({ HF_HOME: join(home, 'hf'), TURNWISE_HOME: join(home, 'turnwise'), HF_TOKEN: '', HF_HUB_OFFLINE: '' }))
    vi.stubEnv(key, value);
  vi.stubEnv('HF_HUB_CACHE', undefined);
  return home;
}

/** It ends with the file's tests. HF_ENDPOINT stays as it is. */
export function tinyHub(options: Partial<HubServerOptions> = {}): Promise<HubServer> {
  return startHub({ repo: 'org/tiny', commit, directory: tiny, ...options });
}

/** The same, as the one that HF_ENDPOINT names. */
export async function tinyHubAsked(options: Partial<HubServerOptions> = {}): Promise<HubServer> {
  const server = await tinyHub(options);
  vi.stubEnv('HF_ENDPOINT', server.url);
  return server;
}
