/** @file Exporting a policy: verified, whole or absent, and never over something else. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { exportPolicy } from '../../activities/checkpoint/exportPolicy.ts';
import { writeCheckpoint } from '../../activities/checkpoint/writeCheckpoint.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { sampleCheckpoint } from './sampleCheckpoint.ts';

let home: string;
let checkpoints: string;
beforeEach(async () => {
  home = await temporaryDirectory('export');
  checkpoints = join(home, 'runs/exported/checkpoints');
  await writeCheckpoint(checkpoints, sampleCheckpoint(0));
  await writeCheckpoint(checkpoints, sampleCheckpoint(0, 300));
  await writeCheckpoint(checkpoints, sampleCheckpoint(1, 300));
  await writeCheckpoint(checkpoints, sampleCheckpoint(2, 300));
});

test.each([
  [undefined, 'global_step_2'],
  [1, 'global_step_1'],
  [0, 'warmup_step_300'],
] as const)('step %s is %s', async (step, checkpoint) => {
  const out = join(home, 'deeper/out');
  expect(await exportPolicy(checkpoints, step, out)).toMatchObject({ checkpoint, directory: out });
  expect((await readdir(out)).sort()).toEqual(['README.md', 'config.json', 'model.safetensors']);
  const original = await readFile(join(checkpoints, checkpoint, 'policy/model.safetensors'));
  expect((await readFile(join(out, 'model.safetensors'))).equals(original)).toBe(true);
  expect(await readdir(join(home, 'deeper'))).toEqual(['out']);
});

test('what cannot be exported says why and leaves nothing', async () => {
  await expect(exportPolicy(checkpoints, 7, join(home, 'out'))).rejects.toThrow(
    /global_step_7: expected it in .*, which has global_step_0, warmup_step_300, global_step_1, global_step_2/,
  );
  await mkdir(join(home, 'full'));
  await writeFile(join(home, 'full/mine'), 'x');
  await expect(exportPolicy(checkpoints, 1, join(home, 'full'))).rejects.toThrow(/expected .*full not to exist, or to be an empty directory/);
  expect(await readdir(join(home, 'full'))).toEqual(['mine']);
  await truncate(join(checkpoints, 'global_step_1/policy/model.safetensors'), 9);
  await expect(exportPolicy(checkpoints, 1, join(home, 'out'))).rejects.toThrow(/global_step_1: policy\/model\.safetensors: .* the file is torn/);
  expect((await readdir(home)).sort()).toEqual(['full', 'runs']);
});

test('the command copies and says what to do next; a mistake is one line and exit code 1', () => {
  const command = (...parameters: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../../scripts/export.ts'), ...parameters], {
      encoding: 'utf8',
      env: { ...process.env, TURNWISE_HOME: home },
      cwd: home,
    });
  const done = command('exported', '--step', '2', '--out', 'copy');
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  expect(done.stdout).toContain(`global_step_2 of exported → ${join(home, 'copy')}`);
  const wrong = command('exported', '--step', '9', '--out', 'other');
  expect(wrong.status).toBe(1);
  expect(wrong.stderr).toMatch(/^turnwise: checkpoint global_step_9: expected it in .*\n$/);
}, 120_000);
