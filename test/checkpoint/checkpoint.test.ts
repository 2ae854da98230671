/** @file Checkpoints are whole or absent, whatever is killed, torn or changed, and however full the disk is. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, readlink, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inTrainingOrder } from '../../activities/checkpoint/checkpointName.ts';
import { sha256Of } from '../../activities/checkpoint/durableFile.ts';
import { findNewestCheckpoint, openCheckpoint } from '../../activities/checkpoint/findCheckpoint.ts';
import { verifyCheckpoint } from '../../activities/checkpoint/manifest.ts';
import { readMoments } from '../../activities/checkpoint/moments.ts';
import { prunable, pruneCheckpoints } from '../../activities/checkpoint/prune.ts';
import { readSafetensors } from '../../activities/checkpoint/safetensors.ts';
import { removeTemporary, writeCheckpoint } from '../../activities/checkpoint/writeCheckpoint.ts';
import { sampleCheckpoint } from './sampleCheckpoint.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'turnwise-checkpoints-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('a checkpoint holds the listed files, and latest points to it', async () => {
  const policy = await writeCheckpoint(directory, sampleCheckpoint(12));
  expect(policy).toMatchObject({ policyVersion: 13, checkpoint: 'checkpoints/global_step_12' });
  expect(sha256Of(await readFile(join(directory, 'global_step_12', 'MANIFEST.json')))).toBe(policy.manifestSha256);
  expect(await readlink(join(directory, 'latest'))).toBe('global_step_12');
  expect((await readdir(join(directory, 'latest'), { recursive: true })).sort()).toEqual([
    'MANIFEST.json',
    'optimizer.safetensors',
    'policy',
    'policy/README.md',
    'policy/config.json',
    'policy/model.safetensors',
    'trainer_state.json',
  ]);
  const { tensors } = await readSafetensors(join(directory, 'latest/policy/model.safetensors'));
  expect([...(tensors.get('model.norm.weight')?.data ?? [])]).toEqual([12, 12, 12, 12]);
  const moments = await readMoments(join(directory, 'latest/optimizer.safetensors'));
  expect(moments?.step).toBe(12);
  expect([...(moments?.second.get('model.norm.weight')?.data ?? [])]).toEqual([12, 12, 12, 12]);
});

test('equal states give equal manifests in another directory and in another order of the weights', async () => {
  const other = await mkdtemp(join(tmpdir(), 'turnwise-checkpoints-'));
  try {
    const content = sampleCheckpoint(3);
    const here = await writeCheckpoint(directory, content);
    const there = await writeCheckpoint(other, { ...content, weights: new Map([...content.weights].reverse()) });
    expect(there.manifestSha256).toBe(here.manifestSha256);
    expect((await writeCheckpoint(other, sampleCheckpoint(3, 0, 65))).manifestSha256).not.toBe(here.manifestSha256);
  } finally {
    await rm(other, { recursive: true });
  }
});

test.each([
  [
    'torn weights',
    (step: string) => truncate(join(step, 'policy/model.safetensors'), 100),
    /policy\/model\.safetensors: expected \d+ bytes, got 100; the file is torn/,
  ],
  [
    'a changed byte',
    (step: string) => writeFile(join(step, 'policy/config.json'), '{"model_type":"qwen3"}'),
    /policy\/config\.json: expected sha256 \w{64}, got \w{64}/,
  ],
  ['a missing file', (step: string) => rm(join(step, 'optimizer.safetensors')), /optimizer\.safetensors: expected a file of \d+ bytes, found none/],
  ['a missing manifest', (step: string) => rm(join(step, 'MANIFEST.json')), /expected MANIFEST\.json in .*, found none/],
  ['a torn manifest', (step: string) => truncate(join(step, 'MANIFEST.json'), 40), /MANIFEST\.json: /],
] as const)('%s: refused with the reason, kept aside, the one before is used', async (_, damage, reason) => {
  const first = await writeCheckpoint(directory, sampleCheckpoint(1));
  await writeCheckpoint(directory, sampleCheckpoint(2));
  await damage(join(directory, 'global_step_2'));
  const { newest, warnings } = await findNewestCheckpoint(directory);
  expect(newest?.policy).toEqual(first);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(reason);
  expect(warnings[0]).toContain('checkpoints/refused-1-global_step_2');
  expect((await readdir(directory)).sort()).toEqual(['global_step_1', 'latest', 'refused-1-global_step_2']);
  const again = await writeCheckpoint(directory, sampleCheckpoint(2));
  expect((await findNewestCheckpoint(directory)).newest?.policy).toEqual(again);
});

test('a manifest cannot name files outside its checkpoint', async () => {
  await writeCheckpoint(directory, sampleCheckpoint(1));
  await writeFile(join(directory, 'secret'), 'x');
  const digest = { sha256: sha256Of('x'), size: 1 };
  await writeFile(join(directory, 'global_step_1/MANIFEST.json'), JSON.stringify({ schemaVersion: 1, files: { '../secret': digest } }));
  await expect(verifyCheckpoint(join(directory, 'global_step_1'))).rejects.toThrow(/all inside the checkpoint/);
});

test('no checkpoint at all is an answer, not an error', async () => {
  expect(await findNewestCheckpoint(join(directory, 'none'))).toEqual({ newest: undefined, warnings: [] });
});

test('an attempt that woke up late does not turn latest back, although its own step was pruned meanwhile', async () => {
  for (const step of [1, 2, 3]) await writeCheckpoint(directory, sampleCheckpoint(step));
  await pruneCheckpoints(directory, 'global_step_3', { keepLast: 2, keepEvery: 0 });
  await writeCheckpoint(directory, sampleCheckpoint(1));
  expect(await readlink(join(directory, 'latest'))).toBe('global_step_3');
});

test('writing the same checkpoint again changes nothing; another one of its name sets it aside', async () => {
  const first = await writeCheckpoint(directory, sampleCheckpoint(1));
  const second = await writeCheckpoint(directory, sampleCheckpoint(2));
  expect(await writeCheckpoint(directory, sampleCheckpoint(1))).toEqual(first);
  expect(await readlink(join(directory, 'latest'))).toBe('global_step_2');
  const changed = await writeCheckpoint(directory, { ...sampleCheckpoint(2), card: 'another' });
  expect(changed.manifestSha256).not.toBe(second.manifestSha256);
  expect((await readdir(directory)).sort()).toEqual(['global_step_1', 'global_step_2', 'latest', 'superseded-1-global_step_2']);
  await expect(openCheckpoint(directory, 'global_step_2', second.manifestSha256)).rejects.toThrow(/expected MANIFEST.json with sha256/);
});

test('names are ordered by training, not by letters, and other names are no checkpoints', () => {
  const names = [
    'global_step_10',
    'global_step_9',
    'warmup_step_50',
    'global_step_0',
    'latest',
    'refused-1-global_step_11',
    'warmup_step_0',
    'global_step_01',
    'warmup_step_200',
  ];
  expect(inTrainingOrder(names)).toEqual(['global_step_0', 'warmup_step_50', 'warmup_step_200', 'global_step_9', 'global_step_10']);
});

test('pruning keeps the last ones, the milestones, the start of reinforcement learning, and always two', () => {
  const names = ['global_step_0', 'warmup_step_50', 'warmup_step_100', ...Array.from({ length: 12 }, (_, i) => `global_step_${i + 1}`)];
  expect(prunable(names, { keepLast: 3, keepEvery: 5 })).toEqual(
    ['warmup_step_50', 1, 2, 3, 4, 6, 7, 8, 9].map((n) => (typeof n === 'number' ? `global_step_${n}` : n)),
  );
  expect(prunable(names.slice(0, 4), { keepLast: 1, keepEvery: 0 })).toEqual(['global_step_0', 'warmup_step_50']);
  expect(prunable(names.slice(0, 1), { keepLast: 1, keepEvery: 0 })).toEqual([]);
});

test('pruning removes whole checkpoints and nothing else', async () => {
  for (const step of [0, 1, 2, 3, 4]) await writeCheckpoint(directory, sampleCheckpoint(step));
  expect(await pruneCheckpoints(directory, 'global_step_3', { keepLast: 1, keepEvery: 0 })).toEqual(['global_step_1']);
  expect((await readdir(directory)).sort()).toEqual(['global_step_0', 'global_step_2', 'global_step_3', 'global_step_4', 'latest']);
});

test('kill -9 while checkpoints are written leaves the last complete one, and no half of another', async () => {
  for (const delay of [0, 3, 7, 12, 20]) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'writeForever.ts'), directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, delay));
    child.kill('SIGKILL');
    await once(child, 'close');
    await removeTemporary(directory);
    // Lines that were said to their end, whatever pieces they came in.
    const reported = Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
    const { newest, warnings } = await findNewestCheckpoint(directory);
    expect(warnings).toEqual([]);
    expect(newest?.state.globalStep).toBeGreaterThanOrEqual(reported);
    expect(newest?.state.globalStep).toBeLessThanOrEqual(reported + 1);
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).toEqual([]);
    await rm(directory, { recursive: true });
  }
}, 120_000);

/** A file system of 1 MiB, where root may mount one. */
function mountTiny(path: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `a tmpfs cannot be mounted here: ${(error as Error).message.split('\n')[0]}`;
  }
}

test('a full disk is named with its free bytes, and what was there stays whole', async (context) => {
  const reason = mountTiny(directory);
  if (reason !== undefined) return context.skip(reason);
  try {
    const first = await writeCheckpoint(directory, sampleCheckpoint(1));
    await expect(writeCheckpoint(directory, sampleCheckpoint(2, 0, 200_000))).rejects.toMatchObject({
      name: 'DiskFullError',
      path: directory,
      message: expect.stringMatching(/disk full at .*: a checkpoint needs 240\d{4} bytes, \d+ are free/),
    });
    expect((await readdir(directory)).sort()).toEqual(['global_step_1', 'latest']);
    expect((await findNewestCheckpoint(directory)).newest?.policy).toEqual(first);
    expect((await writeCheckpoint(directory, sampleCheckpoint(2))).checkpoint).toBe('checkpoints/global_step_2');
  } finally {
    execFileSync('umount', [directory]);
  }
});

test('a copied checkpoint verifies where it was copied to', async () => {
  const policy = await writeCheckpoint(directory, sampleCheckpoint(4));
  await cp(join(directory, 'global_step_4'), join(directory, 'elsewhere'), { recursive: true });
  expect(await verifyCheckpoint(join(directory, 'elsewhere'))).toBe(policy.manifestSha256);
});
