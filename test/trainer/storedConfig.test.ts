/** @file A run's configuration on disk. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { canonicalJson, configDifferences, readStoredConfig, runConfigLoader, writeStoredConfig } from '../../activities/runs/storedConfig.ts';
import { testedConfig } from './trainerProcess.ts';

test('it is read once it is there, and says what is missing before', async () => {
  const home = await mkdtemp(join(tmpdir(), 'turnwise-config-'));
  try {
    const load = runConfigLoader(home);
    await expect(load('one')).rejects.toThrow(/run one: expected .*config\.json, found none/);
    expect(await readStoredConfig(home, 'one')).toBeUndefined();
    const config = testedConfig();
    await writeStoredConfig(home, 'one', config);
    expect(await load('one')).toEqual(config);
    await rm(runPaths(home, 'one').config);
    expect(await load('one')).toEqual(config);
    await writeStoredConfig(home, 'two', config);
    await writeFile(runPaths(home, 'two').config, JSON.stringify({ ...config, version: 9 }));
    await expect(load('two')).rejects.toThrow(/expected version 1, got 9/);
  } finally {
    await rm(home, { recursive: true });
  }
});

test('a run that is made anew under its name has its new configuration, and is read once', async () => {
  const home = await mkdtemp(join(tmpdir(), 'turnwise-config-'));
  try {
    const load = runConfigLoader(home);
    await writeStoredConfig(home, 'one', testedConfig({ seed: 1 }));
    const first = await load('one');
    expect(await load('one')).toBe(first);
    await rm(runPaths(home, 'one').root, { recursive: true });
    await writeStoredConfig(home, 'one', testedConfig({ seed: 2 }));
    const second = await load('one');
    expect([first.seed, second.seed]).toEqual([1, 2]);
    expect(await load('one')).toBe(second);
  } finally {
    await rm(home, { recursive: true });
  }
});

test('differences name the whole path, what was and what is', () => {
  const stored = { seed: 1, tasks: [{ family: 'chain' }], policy: { path: null }, gone: true };
  const given = { seed: 2, tasks: [{ family: 'chain' }, { family: 'calc' }], policy: { path: 'x' } };
  expect(configDifferences(stored, given)).toEqual([
    'seed: 1 → 2',
    'tasks.1: (not set) → {"family":"calc"}',
    'policy.path: null → "x"',
    'gone: true → (not set)',
  ]);
  expect(configDifferences(stored, structuredClone(stored))).toEqual([]);
});

test('canonical JSON does not depend on the order of keys, but on that of lists', () => {
  expect(canonicalJson({ b: 1, a: [{ d: 2, c: 3 }] })).toBe('{"a":[{"c":3,"d":2}],"b":1}');
  expect(canonicalJson([2, 1])).not.toBe(canonicalJson([1, 2]));
});
