/** @file The server of our own: tuned, prepared, and gone with its owner. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { loadTemporalConfig } from '../../workers/config/temporalConfig.ts';
import { identityOf } from '../../workers/supervisor/processIdentity.ts';
import { useServer } from '../../workers/supervisor/server.ts';
import { startDevServer } from '../../workers/temporal/devServer.ts';
import { describeNamespace } from '../../workers/temporal/namespace.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'turnwise-ops-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('retention is 30 days and every search attribute exists', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const state = await describeNamespace(connection, 'default', loadTemporalConfig());
  await connection.close();
  expect(state).toEqual({ retentionMs: 720 * 3_600_000, missingAttributes: [] });
});

test('a killed owner takes its server and the guard with it', async () => {
  const owner = spawn(process.execPath, [join(import.meta.dirname, '../support/serverOwner.ts'), join(directory, 'owner.db')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pids = JSON.parse(await new Promise<string>((resolve) => owner.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())))) as number[];
  expect(pids.map((pid) => identityOf(pid) !== undefined)).toEqual([true, true]);
  owner.kill('SIGKILL');
  await expect.poll(() => pids.filter((pid) => identityOf(pid) !== undefined), { timeout: 10_000 }).toEqual([]);
});

test('a port that something else holds is refused with the remedy', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as { port: number };
  await expect(startDevServer({ dbFile: join(directory, 'taken.db'), port, uiPort: null })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
  await new Promise((resolve) => holder.close(resolve));
});

test('a command gives up a server that cannot be started, and does not go on trying behind its back', async () => {
  const holder = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as { port: number };
  const settings = (await readFile('temporal.yaml', 'utf8')).replace(/^( +port:) \d+/m, `$1 ${port}`);
  await writeFile(join(directory, 'temporal.yaml'), settings);
  vi.stubEnv('TURNWISE_HOME', join(directory, 'home'));
  vi.stubEnv('TURNWISE_TEMPORAL_YAML', join(directory, 'temporal.yaml'));
  const said: string[] = [];
  try {
    await expect(useServer((line) => said.push(line))).rejects.toThrow(`server: ended 3 times while starting: port ${port} on 127.0.0.1 is taken`);
    const before = said.length;
    await setTimeout(2500);
    expect(said.slice(before)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    await new Promise((resolve) => holder.close(resolve));
  }
});

test('a server that cannot start says why', async () => {
  const starting = startDevServer({ dbFile: join(directory, 'absent', 'x.db'), uiPort: null });
  await expect(starting).rejects.toThrow(/ended while starting: exit code 1\nits last output:\n.*(unable to open|no such file)/s);
});
