/** @file The warm-up: the same bits whatever happens between and during its commits. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import { warmupRows } from '../../activities/trainer/demonstrationRows.ts';
import { run, testedConfig } from './trainerProcess.ts';
import { trainersPerTest } from './trainersPerTest.ts';

let home: string;
const trainerAt = trainersPerTest();
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnwise-trainer-'));
});
afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

test('three commits in memory, and with a fresh process’s state before each, end in the same bytes', async () => {
  const config = testedConfig();
  const memory = await trainerAt(join(home, 'memory')).warmUpAll(config);
  const restarted = trainerAt(join(home, 'restarted'));
  const disk = await restarted.warmUpAll(config, () => restarted.loaded.close());
  expect(memory.policy).toMatchObject({ checkpoint: 'checkpoints/warmup_step_6', policyVersion: 3 });
  expect(disk.policy).toEqual(memory.policy);
  const otherSeed = await trainerAt(join(home, 'other')).warmUpAll({ ...config, seed: 6 });
  expect(otherSeed.policy.manifestSha256).not.toBe(memory.policy.manifestSha256);
}, 120_000);

test('kill -9 at any moment: started again until it ends, the warm-up gives the uninterrupted bytes and leaves nothing half written', async () => {
  const uninterrupted = await trainerAt(join(home, 'whole')).warmUpAll(testedConfig());
  const killed = join(home, 'killed');
  let kills = 0;
  let answer = '';
  // From far shorter than any machine needs to longer than a slow one does.
  for (let delayMs = 30; !answer; delayMs *= 1.6) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'trainerProcess.ts'), killed], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    child.stdout.on('data', (text: Buffer) => {
      answer = text.toString().replace('ready', '').trim();
    });
    await once(child.stdout, 'data');
    const timer = setTimeout(() => {
      if (child.kill('SIGKILL')) kills += 1;
    }, delayMs);
    await closed;
    clearTimeout(timer);
  }
  expect(kills).toBeGreaterThanOrEqual(2);
  expect(answer).toBe(uninterrupted.policy.manifestSha256);
  const left = await readdir(join(killed, 'runs', run, 'checkpoints'));
  expect(left.filter((name) => !/^(global|warmup)_step_\d+$|^latest$/.test(name))).toEqual([]);
}, 180_000);

test('a commit that is on disk is answered, not computed again', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(testedConfig());
  const first = await trainer.warmUp({ policy, fromStep: 1, toStep: 2 });
  const { 'time/warmup': seconds, ...metrics } = first.metrics;
  expect(seconds).toBeGreaterThan(0);
  expect(metrics).toEqual({ loss: expect.any(Number), grad_norm: expect.any(Number), lr: expect.any(Number), 'tokens/trained': expect.any(Number) });
  expect(metrics['loss']).toBeGreaterThan(1);
  await trainer.loaded.close();
  const again = await trainer.warmUp({ policy, fromStep: 1, toStep: 2 });
  expect(again).toEqual({ policy: first.policy, metrics });
}, 120_000);

test('demonstrations become tokens of which the policy’s own are trained on, those of the answer four times', async () => {
  const trainer = trainerAt(home);
  const config = testedConfig();
  await trainer.prepareRun(config);
  const tokenizer = await PolicyTokenizer.load(join(home, 'runs', run, 'checkpoints/latest/policy'));
  const [row] = warmupRows(config, tokenizer)(1);
  const spans: [weight: number, text: string][] = [];
  const lossWeights = row?.lossWeights ?? new Float32Array();
  let start = 0;
  for (let t = 1; t <= lossWeights.length; t++) {
    if (lossWeights[t] === lossWeights[start]) continue;
    spans.push([lossWeights[start] as number, tokenizer.decode(row?.tokens.subarray(start, t) ?? [])]);
    start = t;
  }
  const answer = spans.findIndex(([weight]) => weight === 4);
  expect(spans.map(([weight]) => weight).slice(0, 2)).toEqual([0, 1]);
  expect(spans[0]?.[1]).toMatch(/^<\|user\|>.*<\|end\|><\|bot\|>$/);
  expect(spans[answer - 1]?.[1]).toMatch(/<answer>$/);
  expect(spans[answer]?.[1]).toMatch(/^[a-z0-9]+$/);
  expect(spans[answer + 1]).toEqual([1, '</answer><|end|>']);
  expect(
    spans
      .filter(([weight]) => weight === 0)
      .slice(1)
      .every(([, text]) => /^<\|tool\|>.*<\|end\|><\|bot\|>$/.test(text)),
  ).toBe(true);
});
