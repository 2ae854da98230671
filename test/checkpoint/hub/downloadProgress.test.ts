/** @file What a person sees while a model of the hub is downloaded. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { downloadBlob } from '../../../activities/checkpoint/hub/downloadBlob.ts';
import { downloadProgress } from '../../../activities/checkpoint/hub/downloadProgress.ts';
import { servedCommand } from '../../support/servedCommand.ts';
import { commit, hubHome, tiny, tinyHubAsked } from './hubHome.ts';

let home = '';

beforeEach(async () => {
  home = await hubHome('progress');
  await tinyHubAsked({ bytesAtATime: 50_000 });
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const first = /^downloading \S+ of org\/tiny: 0 of [\d,]+ bytes$/m;

test('at most a line every two seconds, of all files together', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const progress = downloadProgress(
    { repo: 'org/tiny', revision: commit },
    (line) => lines.push(line),
    () => nowMs,
  );
  const [a, b] = ['a', 'b'].map((path) => ({ path, size: 4000, oid: '0'.repeat(40), hash: 'git' as const }));
  for (const file of [a, b]) {
    if (file === undefined) continue;
    for (let bytes = 0; bytes <= 4000; bytes += 1000, nowMs += 500) progress.at('downloading', file, bytes);
  }
  expect(lines).toEqual([
    'downloading a of org/tiny: 0 of 4,000 bytes',
    'downloading a of org/tiny: 4,000 of 4,000 bytes',
    'downloading b of org/tiny: 3,000 of 4,000 bytes',
  ]);
});

test('`train` shows a download from its start, and none where there is none', async () => {
  const overrides = ['policy={path: "hub:org/tiny", contextLength: 64, turnFormat: fences}', 'warmup={steps: 0}', 'sampling.maxTokensPerTurn=32'];
  const train = () => promisify(execFile)(process.execPath, ['scripts/train.ts', 'examples/quickstart.yaml', ...overrides, '--dry-run']);
  expect((await train()).stdout).toMatch(first);
  expect((await train()).stdout).not.toMatch(/downloading/);
}, 60_000);

test('`serve` shows it too, and ends when it is told to', async () => {
  const { said, code } = await servedCommand(['hub:org/tiny']);
  expect(said).toMatch(first);
  expect(said.search(first)).toBeLessThan(said.indexOf('try it:'));
  expect(code).toBe(0);
}, 60_000);

test('`export --onnx` shows it too, before what it wrote', async () => {
  const args = ['scripts/export.ts', 'hub:org/tiny', '--onnx', '--out', join(home, 'exported')];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(first);
  expect(stdout.search(first)).toBeLessThan(stdout.indexOf(`hub:org/tiny → ${join(home, 'exported')}`));
}, 60_000);

test('who waits for another download says for whom', async () => {
  const lines: string[] = [];
  const content = readFileSync(join(tiny, 'model.safetensors'));
  const name = { repo: 'org/tiny', revision: commit };
  const file = { path: 'model.safetensors', size: content.length, oid: createHash('sha256').update(content).digest('hex'), hash: 'sha256' as const };
  const download = () =>
    downloadBlob(
      name,
      file,
      join(home, 'blobs', file.oid),
      downloadProgress(name, (line) => lines.push(line)),
    );
  await Promise.all([download(), download()]);
  expect(lines.filter((line) => line.includes('waiting'))).toEqual([
    `model.safetensors of org/tiny: waiting for process ${process.pid} on ${hostname()}, which downloads it`,
  ]);
});
