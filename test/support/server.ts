/** @file One Temporal server for a whole run of the integration tests: a free port, a database in a temporary directory, gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startDevServer } from '../../workers/temporal/devServer.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port`; tests read it with `inject('temporalAddress')`. */
    readonly temporalAddress: string;
  }
}

/** A server that a person names with TEMPORAL_ADDRESS is used as it is. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEMPORAL_ADDRESS'];
  if (given) {
    project.provide('temporalAddress', given);
    return async () => {};
  }
  const directory = await mkdtemp(join(tmpdir(), 'turnwise-server-'));
  const server = await startDevServer({ dbFile: join(directory, 'temporal.db'), uiPort: null });
  project.provide('temporalAddress', server.address);
  return async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
