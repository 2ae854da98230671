/** @file A whole run through real workflows on a real server: what it does in which order, and what it leaves in its histories. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { samplingSeed } from '../../core/rollout/seeds.ts';
import { playingQueue } from '../../core/run/names.ts';
import type { Progress, TrainResult } from '../../core/run/types.ts';
import { activitySummaries, historiesOf, largestPayload } from './histories.ts';
import { runWith, smallRun } from './runs.ts';
import { policyRef } from './scene.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('temporalAddress'));
});
afterAll(() => stage.close());

test('three steps: prepares, warms up, evaluates, trains, evaluates, reports', async () => {
  const { run, scene } = stage.scene('happy');
  const handle = await stage.train(run, smallRun);
  const result = (await handle.result()) as TrainResult;

  expect(result).toMatchObject({ run, phase: 'completed', steps: 3, policy: policyRef(3) });
  expect(result).not.toHaveProperty('reason');
  const shares = (results: TrainResult['before']) => results.map(({ mode, samples, counted, solvedShare }) => [mode, samples, counted, solvedShare]);
  expect(shares(result.before)).toEqual([
    ['greedy', 4, 4, 0],
    ['sampled', 8, 8, 0.5],
  ]);
  expect(shares(result.after)).toEqual(shares(result.before));
  expect(result.before.map(({ policyVersion }) => policyVersion)).toEqual([0, 0]);
  expect(result.after.map(({ policyVersion }) => policyVersion)).toEqual([3, 3]);

  const milestones = scene.calls.map(({ name }) => name).filter((name) => !['generate', 'execute', 'closeSandboxes', 'grade', 'drawTasks'].includes(name));
  const step = ['advantages', 'update', 'recordStep'];
  const warmup = ['warmUp', 'recordStep'];
  expect(milestones).toEqual(['prepareRun', ...warmup, ...warmup, 'recordEvaluation', ...step, ...step, ...step, 'recordEvaluation', 'writeReport']);
  expect(scene.inputs('warmUp').map(({ fromStep, toStep }) => [fromStep, toStep])).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(scene.inputs('update').map(({ step, policy, hyperparameters }) => [step, policy.policyVersion, hyperparameters.lr])).toEqual([
    [1, 0, 4e-4],
    [2, 1, 4e-4],
    [3, 2, 4e-4],
  ]);
  const drawn = scene.inputs('drawTasks').filter(({ split }) => split === 'train');
  expect(drawn.map(({ offset, count }) => [offset, count])).toEqual([
    [0, 2],
    [2, 2],
    [4, 2],
  ]);

  const progress = await handle.query<Progress>('progress');
  expect(progress).toMatchObject({ run, phase: 'completed', step: 3, steps: 3, warmupStep: 4, warmupSteps: 4, policyVersion: 3 });
  expect(progress.metrics).toMatchObject({ 'reward/mean': 0.5, kl: 0.01, 'groups/credited': 2, 'groups/failed': 0 });
});

test('turns carry what was sampled: seeds by (run seed, step, task, sibling, turn), segments in order, the observation once', async () => {
  const { run, scene } = stage.scene('turns');
  await (
    await stage.train(
      run,
      runWith({ training: { steps: 1, tasksPerStep: 1, groupSize: 2 }, warmup: { steps: 0 }, gate: { minSampledSolved: 0 }, evaluation: { tasks: 0 } }),
    )
  ).result();
  const generates = scene.inputs('generate');
  expect(generates).toHaveLength(4);
  const second = generates.find(({ sibling, turn }) => sibling === 1 && turn === 1);
  expect(second).toMatchObject({
    seed: samplingSeed({ runSeed: 0, step: 1, taskId: 'chain/train/0', sibling: 1, turn: 1 }),
    segments: [{ base64: Buffer.from('segment of turn 0').toString('base64') }],
    observation: { text: "value of boss('kj')" },
    sampling: { temperature: 1, topK: 0, topP: 1, maxTokensPerTurn: 20 },
    tokenBudget: 160,
  });
  const closed = scene.inputs('closeSandboxes').flatMap(({ sandboxes }) => sandboxes.map(({ id }) => id.split('#')[0]));
  expect(closed.sort()).toEqual([`train/${run}/s1/t0/r0`, `train/${run}/s1/t0/r1`]);
});

test('greedy evaluation samples once at temperature 0; both evaluations of a run use the same seeds', async () => {
  const { run, scene } = stage.scene('evaluation');
  await (await stage.train(run, runWith({ training: { steps: 1, tasksPerStep: 1 }, warmup: { steps: 0 } }))).result();
  const heldOut = scene.inputs('generate').filter(({ task, turn }) => task.split === 'heldOut' && turn === 0);
  const seedsAt = (version: number, temperature: number) =>
    heldOut
      .filter(({ policy, sampling }) => policy.policyVersion === version && sampling.temperature === temperature)
      .map(({ seed }) => seed)
      .sort();
  expect(seedsAt(0, 0)).toHaveLength(4);
  expect(seedsAt(0, 1)).toHaveLength(8);
  expect(new Set(seedsAt(0, 1)).size).toBe(8);
  expect(seedsAt(1, 1)).toEqual(seedsAt(0, 1));
});

test('ids are paths, activities are named, histories stay short and payloads small', async () => {
  const { run } = stage.scene('legible');
  await (await stage.train(run, runWith({ training: { steps: 1 } }))).result();
  const histories = await historiesOf(stage.client, run);
  const ids = histories.map(({ workflowId }) => workflowId.slice(`train/${run}`.length)).sort();
  expect(ids).toEqual(['', '/e0-greedy', '/e0-sampled', '/e1-greedy', '/e1-sampled', '/s1', '/s1/t0', '/s1/t1', '/warmup']);
  expect(new Set(histories.map(({ type }) => type))).toEqual(new Set(['train', 'evaluate', 'step', 'group', 'warmup']));
  for (const { workflowId, history } of histories) {
    expect(history.events?.length, `events of ${workflowId}`).toBeLessThan(300);
    expect(largestPayload(history), `payloads of ${workflowId}`).toBeLessThan(16 * 1024);
  }
  const group = histories.find(({ workflowId }) => workflowId.endsWith('/s1/t0'));
  expect(activitySummaries(group?.history ?? {})).toEqual(
    expect.arrayContaining(['r3 turn 0 generate', 'r3 turn 0 execute', 'r3 turn 1 generate', 'grade 1 of 1']),
  );
  const description = await stage.client.workflow.getHandle(`train/${run}/s1/t0`).describe();
  const found = Object.fromEntries(description.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  expect(found).toMatchObject({
    TurnwiseRun: run,
    TurnwiseFamily: 'chain',
    TurnwiseStep: 1,
    TurnwisePolicyVersion: 0,
    TurnwiseOutcome: 'mixed',
    TurnwiseReward: 0.5,
  });
});

test('rollouts and evaluations by hand are found by what they play', async () => {
  const { run } = stage.scene('by-hand');
  const config = { seed: 0, temperature: 1, topK: 0, topP: 1, maxTokensPerTurn: 20, rolloutTimeoutMs: null };
  const foundOf = async (type: string, workflowId: string, input: object) => {
    await stage.client.workflow.execute(type, { taskQueue: playingQueue, workflowId, args: [{ run, step: 2, policy: policyRef(2), config, ...input }] });
    const { typedSearchAttributes } = await stage.client.workflow.getHandle(workflowId).describe();
    return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  };
  const rollout = await foundOf('rollout', `rollout/${run}`, { sibling: 1, task: { split: 'heldOut', offset: 3 } });
  expect(rollout).toMatchObject({ TurnwiseRun: run, TurnwiseFamily: 'chain', TurnwiseStep: 2, TurnwisePolicyVersion: 2, TurnwiseOutcome: 'solved' });
  const evaluation = await foundOf('evaluate', `evaluate/${run}`, { mode: 'greedy', tasks: 2, samplesPerTask: 1 });
  expect(evaluation).toMatchObject({ TurnwiseRun: run, TurnwisePhase: 'evaluating', TurnwiseStep: 2, TurnwisePolicyVersion: 2 });
});

test('below the gate the run stops with advice and trains nothing', async () => {
  const { run, scene } = stage.scene('gate');
  const result = (await (await stage.train(run, runWith({ gate: { minSampledSolved: 0.6 } }))).result()) as TrainResult;
  expect(result.phase).toBe('gated');
  expect(result.reason).toMatch(/4 warm-up steps the policy solves 50\.0 % .* below the gate of 60\.0 %.*warmup\.steps/);
  expect(scene.inputs('update')).toEqual([]);
  expect(scene.inputs('writeReport')).toHaveLength(1);
});

test('started again, a run goes on from what prepareRun found', async () => {
  const before = [
    { policyVersion: 0, mode: 'sampled' as const, tasks: 4, samples: 8, solved: 4, counted: 8, solvedShare: 0.5, standardError: 0.18, meanTurns: 2 },
  ];
  const { run, scene } = stage.scene('again', () => ({ prepareRun: async () => ({ policy: policyRef(2), warmupStep: 4, step: 2, before, warnings: [] }) }));
  const result = (await (await stage.train(run, smallRun)).result()) as TrainResult;
  expect(result).toMatchObject({ phase: 'completed', steps: 3, before });
  expect(scene.inputs('warmUp')).toEqual([]);
  expect(scene.inputs('update').map(({ step, policy }) => [step, policy])).toEqual([[3, policyRef(2)]]);
  expect(scene.inputs('recordEvaluation').map(({ step }) => step)).toEqual([3]);
});

test('continues as new every stepsPerHistory steps and loses nothing', async () => {
  const { run, scene } = stage.scene('long');
  const result = (await (
    await stage.train(run, runWith({ stepsPerHistory: 2, training: { steps: 5, tasksPerStep: 1, groupSize: 2 }, evaluation: { tasks: 2, every: 2 } }))
  ).result()) as TrainResult;
  expect(result).toMatchObject({ phase: 'completed', steps: 5, policy: policyRef(5) });
  expect(scene.inputs('update').map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
  expect(scene.inputs('prepareRun')).toHaveLength(1);
  expect(scene.inputs('recordEvaluation').map(({ step }) => step)).toEqual([0, 2, 4, 5]);
  const trains = (await historiesOf(stage.client, run)).filter(({ type }) => type === 'train');
  expect(trains.map(({ status }) => status).sort()).toEqual(['COMPLETED', 'CONTINUED_AS_NEW', 'CONTINUED_AS_NEW']);
});
