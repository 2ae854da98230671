/** @file A whole run through real workflows on a real server: what it does in which order, and what it leaves in its history. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { samplingSeed } from '../../core/rollout/seeds.ts';
import type { Progress, TrainResult } from '../../core/run/types.ts';
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
  expect(result.before.map(({ mode, samples, solved }) => [mode, samples, solved])).toEqual([
    ['greedy', 4, 0],
    ['sampled', 8, 4],
  ]);
  expect(result.after.map(({ mode, solvedShare }) => [mode, solvedShare])).toEqual([
    ['greedy', 0],
    ['sampled', 0.5],
  ]);
});
