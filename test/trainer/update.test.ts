/** @file The update: idempotent, bit-identical after a restart, and clear about what stops it. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { readTrainerState } from '../../activities/checkpoint/trainerState.ts';
import { pointLatestTo } from '../../activities/checkpoint/writeCheckpoint.ts';
import type { ArtifactRef, PolicyRef } from '../../core/rollout/types.ts';
import { hyperparametersOf } from '../../core/run/hyperparameters.ts';
import type { Hyperparameters, UpdateInput } from '../../core/run/types.ts';
import { batchFor } from './batches.ts';
import { run, TestedTrainer, testedConfig } from './trainerProcess.ts';

const config = testedConfig({ warmup: { steps: 0 }, checkpoints: { keepLast: 2, keepEvery: 0 } });
let home: string;
const trainers: TestedTrainer[] = [];
function trainerAt(at: string): TestedTrainer {
  const trainer = new TestedTrainer(at);
  trainers.push(trainer);
  return trainer;
}
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnwise-update-'));
});
afterEach(async () => {
  for (const trainer of trainers.splice(0)) await trainer.loaded.close();
  await rm(home, { recursive: true, force: true });
});

function inputOf(step: number, policy: PolicyRef, batch: ArtifactRef | null, changes: Partial<Hyperparameters> = {}): Omit<UpdateInput, 'run'> {
  return { step, policy, batch, temperature: 1, hyperparameters: { ...hyperparametersOf(config), ...changes } };
}

async function threeSteps(trainer: TestedTrainer, between: () => Promise<void>, changes: Partial<Hyperparameters> = {}, started = config) {
  let { policy } = await trainer.prepareRun(started);
  const results = [];
  for (const step of [1, 2, 3]) {
    const result = await trainer.update(inputOf(step, policy, await batchFor(trainer, policy, step), changes));
    ({ policy } = result);
    results.push(result);
    await between();
  }
  return results;
}

test('three steps in memory, and with a restart before each, end in the same bytes and metrics', async () => {
  const memory = await threeSteps(trainerAt(join(home, 'memory')), async () => {});
  const restarted = trainerAt(join(home, 'disk'));
  const disk = await threeSteps(restarted, () => restarted.loaded.close());
  const withoutTime = (results: typeof memory) => results.map(({ policy, metrics: { 'time/update': _, ...metrics } }) => ({ policy, metrics }));
  expect(withoutTime(disk)).toEqual(withoutTime(memory));
  const [first, , third] = memory;
  expect(third?.policy).toMatchObject({ policyVersion: 3, checkpoint: 'checkpoints/global_step_3' });
  // 5 steps of linear rise, then from lr down to 20 % of it over the 3 steps of the run.
  expect(first?.metrics['lr']).toBeCloseTo(4e-4 / 5, 12);
  expect(third?.metrics['lr']).toBeCloseTo(((4e-4 * 3) / 5) * (1 - 0.8 * (2 / 3)), 12);
  expect(first?.metrics['sampling/sampling_logp_difference/max']).toBeLessThan(1e-4);
  expect(first?.metrics['grad_norm']).toBeGreaterThan(0);
  expect(first?.metrics['tokens/trained']).toBeGreaterThan(20);
}, 120_000);

test('with activations computed again, three steps with a restart before each end in the bytes of three in memory, and of one graph', async () => {
  const recomputed = { ...config, policy: { ...config.policy, recomputeActivations: true } };
  const memory = await threeSteps(trainerAt(join(home, 'memory')), async () => {}, {}, recomputed);
  const restarted = trainerAt(join(home, 'disk'));
  const disk = await threeSteps(restarted, () => restarted.loaded.close(), {}, recomputed);
  expect(disk.map(({ policy }) => policy)).toEqual(memory.map(({ policy }) => policy));
  await threeSteps(trainerAt(join(home, 'whole')), async () => {});
  const weightsAt = (at: string) => readFile(join(runPaths(join(home, at), run).checkpoints, 'global_step_3/policy/model.safetensors'));
  expect(await weightsAt('memory')).toEqual(await weightsAt('whole'));
}, 180_000);

test('with KL the frozen policy is the one that reinforcement learning started from, before and after a restart', async () => {
  const changes = { klCoefficient: 0.5 };
  const memory = await threeSteps(trainerAt(join(home, 'memory')), async () => {}, changes);
  const restarted = trainerAt(join(home, 'disk'));
  const disk = await threeSteps(restarted, () => restarted.loaded.close(), changes);
  expect(disk.map(({ policy }) => policy)).toEqual(memory.map(({ policy }) => policy));
  const without = await threeSteps(trainerAt(join(home, 'without')), async () => {});
  expect(memory[2]?.policy.manifestSha256).not.toBe(without[2]?.policy.manifestSha256);
  // The first step begins at the reference itself.
  const [first, , third] = memory.map(({ metrics }) => metrics['kl_to_reference'] as number);
  expect(first).toBeCloseTo(0, 9);
  expect(third).toBeGreaterThan(1e-6);
  expect(without[2]?.metrics).not.toHaveProperty('kl_to_reference');
}, 180_000);

test('a torn reference is named with the two ways on, and no other checkpoint is blamed for it', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const first = await trainer.update(inputOf(1, policy, await batchFor(trainer, policy, 1), { klCoefficient: 0.5 }));
  await trainer.loaded.close();
  const batch = await batchFor(trainer, first.policy, 2);
  await truncate(join(runPaths(home, run).checkpoints, 'global_step_0', 'policy', 'model.safetensors'), 1000);
  await expect(trainer.update(inputOf(2, first.policy, batch, { klCoefficient: 0.5 }))).rejects.toMatchObject({
    type: 'BadReference',
    nonRetryable: true,
    message: expect.stringMatching(/global_step_0: .*the file is torn\. What to do: put the checkpoint back from a copy, or .*klCoefficient=0/),
  });
  expect((await trainer.update(inputOf(2, first.policy, batch, { klCoefficient: 0 }))).policy.policyVersion).toBe(2);
}, 120_000);

test('killed between a checkpoint and its link: the next attempt answers what is on disk and points latest to it', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const first = await trainer.update(inputOf(1, policy, null));
  const { checkpoints } = runPaths(home, run);
  await pointLatestTo(checkpoints, 'global_step_0');
  expect((await trainer.update(inputOf(1, policy, null))).policy).toEqual(first.policy);
  expect(await readlink(join(checkpoints, 'latest'))).toBe('global_step_1');
}, 120_000);

test('a step that is on disk is answered; made from another batch it is made anew, and the old one kept aside', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const batch = await batchFor(trainer, policy, 1);
  const first = await trainer.update(inputOf(1, policy, batch));
  await trainer.loaded.close();
  const { 'time/update': _, ...metrics } = first.metrics;
  expect(await trainer.update(inputOf(1, policy, batch))).toEqual({ policy: first.policy, metrics });
  const second = await trainer.update(inputOf(1, policy, await batchFor(trainer, policy, 7)));
  expect(second.policy.manifestSha256).not.toBe(first.policy.manifestSha256);
  const lower = await trainer.update(inputOf(1, policy, batch, { lr: 1e-4 }));
  expect(lower.metrics['lr']).toBeCloseTo(2e-5, 12);
  const { checkpoints } = runPaths(home, run);
  expect((await readdir(checkpoints)).filter((name) => name.startsWith('superseded'))).toEqual(['superseded-1-global_step_1', 'superseded-2-global_step_1']);
  expect((await readTrainerState(join(checkpoints, 'global_step_1'))).hyperparameters?.lr).toBe(1e-4);
  expect((await trainer.prepareRun(config)).hyperparameters).toEqual({ ...hyperparametersOf(config), lr: 1e-4 });
}, 120_000);

test('without a batch the weights stay and the version grows', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const next = await trainer.update(inputOf(1, policy, null));
  expect(next.policy).toMatchObject({ policyVersion: 1, checkpoint: 'checkpoints/global_step_1' });
  const { root, checkpoints } = runPaths(home, run);
  expect(await readPolicyDirectory(join(root, next.policy.checkpoint, 'policy'))).toEqual(await readPolicyDirectory(join(root, policy.checkpoint, 'policy')));
  expect(await readlink(join(checkpoints, 'latest'))).toBe('global_step_1');
  expect(Object.keys(next.metrics).sort()).toEqual(['lr', 'time/update']);
}, 120_000);

test('old checkpoints are pruned: the last two and the start of reinforcement learning stay', async () => {
  const results = await threeSteps(trainerAt(home), async () => {});
  const left = (await readdir(runPaths(home, run).checkpoints)).sort();
  expect(left).toEqual(['global_step_0', 'global_step_2', 'global_step_3', 'latest']);
  expect(basename(results[2]?.policy.checkpoint ?? '')).toBe('global_step_3');
}, 120_000);

test('the log-probability gate ends the attempts for good, with both numbers, and nothing is written', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const bad = await batchFor(trainer, policy, 1, 0.5);
  await expect(trainer.update(inputOf(1, policy, bad))).rejects.toMatchObject({
    type: 'LogprobGateClosed',
    nonRetryable: true,
    message: expect.stringMatching(/within 0\.\d+, found a difference of 0\.[45]\d*/),
  });
  expect((await readdir(runPaths(home, run).checkpoints)).sort()).toEqual(['global_step_0', 'latest']);
  const good = await trainer.update(inputOf(1, policy, await batchFor(trainer, policy, 1)));
  expect(good.policy.policyVersion).toBe(1);
}, 120_000);

test('a checkpoint that is not the one the workflow names is refused for good', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const wrong = { ...policy, manifestSha256: 'f'.repeat(64) };
  await expect(trainer.update(inputOf(1, wrong, null))).rejects.toMatchObject({
    type: 'BadCheckpoint',
    nonRetryable: true,
    message: expect.stringMatching(/global_step_0: expected MANIFEST\.json with sha256 f+.*npm run resume/),
  });
}, 120_000);

test('cancelling during the update ends it as cancelled; the next attempt gives the bits of an undisturbed one', async () => {
  const undisturbed = await threeSteps(trainerAt(join(home, 'undisturbed')), async () => {});
  const trainer = trainerAt(join(home, 'cancelled'));
  const { policy } = await trainer.prepareRun(config);
  const input = inputOf(1, policy, await batchFor(trainer, policy, 1));
  const environment = trainer.environment();
  const updating = trainer.update(input, environment);
  setTimeout(() => environment.cancel('CANCELLED'), 30);
  await expect(updating).rejects.toMatchObject({ name: 'CancelledFailure' });
  expect((await trainer.update(input)).policy).toEqual(undisturbed[0]?.policy);
}, 120_000);

test('a worker that shuts down fails the attempt so that it is tried again, instead of cancelling the run', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const environment = trainer.environment();
  const updating = trainer.update(inputOf(1, policy, await batchFor(trainer, policy, 1)), environment);
  setTimeout(() => environment.cancel('WORKER_SHUTDOWN'), 30);
  await expect(updating).rejects.toMatchObject({ name: 'ApplicationFailure', type: 'WorkerShutdown', nonRetryable: false });
}, 120_000);

test('heartbeats go on while the engine computes', async () => {
  const trainer = trainerAt(home);
  const { policy } = await trainer.prepareRun(config);
  const batch = await batchFor(trainer, policy, 1);
  const before = trainer.heartbeats;
  await trainer.update(inputOf(1, policy, batch));
  // One is due every 20 ms here: even a busy machine sends some in the second that a first update takes, a blocked thread none.
  expect(trainer.heartbeats - before).toBeGreaterThanOrEqual(3);
}, 120_000);

test('a full disk is a failure that is tried again, and leaves the run as it was', async (context) => {
  const small = join(home, 'small');
  await mkdir(small);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small], { stdio: 'pipe' });
  } catch (error) {
    return context.skip(`a tmpfs cannot be mounted here: ${(error as Error).message.split('\n')[0]}`);
  }
  const trainer = trainerAt(small);
  try {
    const { policy } = await trainer.prepareRun(config);
    const batch = await batchFor(trainer, policy, 1);
    const first = await trainer.update(inputOf(1, policy, batch)).catch((error: unknown) => error);
    expect(first).toMatchObject({
      type: 'DiskFull',
      nonRetryable: false,
      message: expect.stringMatching(/disk full at .*checkpoints: a checkpoint needs 7\d{6} bytes, \d{7} are free/),
    });
    expect((await readdir(runPaths(small, run).checkpoints)).sort()).toEqual(['global_step_0', 'latest']);
    execFileSync('mount', ['-o', 'remount,size=20m', small], { stdio: 'pipe' });
    expect((await trainer.update(inputOf(1, policy, batch))).policy.policyVersion).toBe(1);
  } finally {
    execFileSync('umount', [small]);
  }
}, 120_000);
