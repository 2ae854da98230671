/** @file One file of a model: several that want it at once, a holder that was killed, a disk that holds other bytes than came. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statfsSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { withBlobLock } from '../../../activities/checkpoint/hub/blobLock.ts';
import { downloadBlob } from '../../../activities/checkpoint/hub/downloadBlob.ts';
import { modelDirectoryOf } from '../../../activities/checkpoint/modelSource.ts';
import { formatOwner, ownerHere } from '../../../activities/processOwner.ts';
import { commit, hubHome, tiny, tinyHubAsked } from './hubHome.ts';

const name = { repo: 'org/tiny', revision: commit };
const content = readFileSync(join(tiny, 'model.safetensors'));
const oid = createHash('sha256').update(content).digest('hex');
const file = { path: 'model.safetensors', size: content.length, oid, hash: 'sha256' } as const;
let home = '';
let blob = '';

beforeEach(async () => {
  home = await hubHome('blob');
  blob = join(home, 'hf', 'hub', 'models--org--tiny', 'blobs', oid);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const leftBeside = () => readdirSync(join(blob, '..')).filter((found) => found.startsWith(`${oid}.`));

test('several calls for one file: one downloads, all have it', async () => {
  const server = await tinyHubAsked({ bytesAtATime: Math.ceil(content.length / 8) });
  await Promise.all([1, 2, 3].map(() => downloadBlob(name, file, blob)));
  expect(server.asked).toEqual(['model.safetensors']);
  expect(readFileSync(blob).equals(content)).toBe(true);
  expect(leftBeside()).toEqual([]);
});

test('two processes that download one model: each file comes once and is whole', async () => {
  const server = await tinyHubAsked({ bytesAtATime: Math.ceil(content.length / 20) });
  const both = [1, 2].map(() =>
    spawn(process.execPath, [join(import.meta.dirname, 'fetchModel.ts'), 'hub:org/tiny'], { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  await Promise.all(both.map((child) => once(child, 'close')));
  expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(server.asked.toSorted()).toEqual([...new Set(server.asked)].toSorted());
  expect(readFileSync(blob).equals(content)).toBe(true);
}, 60_000);

test('who waits goes on where a holder that failed has stopped', async () => {
  const server = await tinyHubAsked({ breakAfter: 10_000 });
  const results = await Promise.allSettled([1, 2].map(() => downloadBlob(name, file, blob)));
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(server.asked.at(-1)).toMatch(/^model\.safetensors bytes=\d+-$/);
  expect(readFileSync(blob).equals(content)).toBe(true);
});

test('other bytes on the disk than came are refused', async () => {
  await tinyHubAsked({ bytesAtATime: Math.ceil(content.length / 8) });
  const temporary = `${blob}.turnwise.incomplete`;
  const download = expect(downloadBlob(name, file, blob)).rejects.toThrow(`expected sha256 ${oid}, got`);
  while (!existsSync(temporary) || statSync(temporary).size === 0) await delay(2);
  const descriptor = openSync(temporary, 'r+');
  writeSync(descriptor, Buffer.of((content[0] ?? 0) ^ 1), 0, 1, 0);
  closeSync(descriptor);
  await download;
  expect([existsSync(blob), leftBeside()]).toEqual([false, []]);
});

test('a lock of a process that is gone, or that gives no sign, is taken; of one that lives it is waited for', async () => {
  const path = join(home, 'lock');
  const times = { pollMs: 5, signMs: 20, silentMs: 300 };
  const waited: string[] = [];
  const lock = (work: () => Promise<string>) => withBlobLock(path, work, (holder) => waited.push(holder), times);
  writeFileSync(path, `${formatOwner({ ...ownerHere(), startTicks: '1' })} x`);
  expect(await lock(async () => 'of the dead')).toBe('of the dead');
  expect(waited).toEqual([]);
  writeFileSync(path, `${formatOwner({ ...ownerHere(), host: 'elsewhere', bootId: 'other' })} x`);
  expect(await lock(async () => 'of the silent')).toBe('of the silent');
  expect(waited).toEqual([`process ${process.pid} on elsewhere`]);
  const order: string[] = [];
  const slow = lock(async () => {
    await delay(900);
    order.push('slow');
    return '';
  });
  await delay(50);
  await Promise.all([slow, lock(async () => String(order.push('next')))]);
  expect(order).toEqual(['slow', 'next']);
  expect(existsSync(path)).toBe(false);
});

test('what an interrupted download has left needs no room a second time', async () => {
  const { bavail, bsize } = statfsSync(home);
  const there = bavail * bsize; // a file of holes takes no room
  const server = await tinyHubAsked({ announcedSize: Math.floor(there * 1.5) });
  mkdirSync(join(blob, '..'), { recursive: true });
  writeFileSync(`${blob}.turnwise.incomplete`, '');
  truncateSync(`${blob}.turnwise.incomplete`, there);
  // This hub has no such weights: that they were asked for is what counts.
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({ name: 'HubUnreachable', message: /416/ });
  expect(server.asked.at(-1)).toBe(`model.safetensors bytes=${there}-`);
  truncateSync(`${blob}.turnwise.incomplete`, Math.floor(there / 4));
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({ name: 'DiskFullError' });
});
