/** @file Quantised weights in workflows: an evaluation that asks for them plays with nothing else, and a run that trains never does. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { playingQueue } from '../../core/run/names.ts';
import type { EvaluateInput, EvaluationResult, TrainResult } from '../../core/run/types.ts';
import { eventsNamed } from './histories.ts';
import { runWith } from './runs.ts';
import { policyRef } from './scene.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('temporalAddress'));
});
afterAll(() => stage.close());

const config = { seed: 0, temperature: 1, topK: 0, topP: 1, maxTokensPerTurn: 20, rolloutTimeoutMs: null };

async function evaluated(run: string, changes: Partial<EvaluateInput>) {
  const input: EvaluateInput = { run, step: 0, policy: policyRef(0), mode: 'sampled', tasks: 40, samplesPerTask: 2, config, ...changes };
  const workflowId = `evaluate/${run}`;
  const handle = await stage.client.workflow.start('evaluate', { taskQueue: playingQueue, workflowId, args: [input] });
  const result = (await handle.result()) as EvaluationResult;
  const first = stage.client.workflow.getHandle(workflowId, handle.firstExecutionRunId);
  return { result, pages: 1 + eventsNamed(await first.fetchHistory(), 'workflowExecutionContinuedAsNewEventAttributes') };
}

test('an evaluation with int8 samples every turn of every page with it, and its result says so', async () => {
  const { run, scene } = stage.scene('int8');
  const { result, pages } = await evaluated(run, { weights: 'int8' });
  expect(pages).toBe(2);
  expect(result).toMatchObject({ samples: 80, counted: 80, solved: 40, weights: 'int8' });
  expect(scene.inputs('generateForEvaluation').map(({ weights }) => weights)).toEqual(new Array(160).fill('int8'));
  expect(scene.inputs('generate')).toEqual([]);
});

test('one that asks for nothing samples with the weights that are trained', async () => {
  const { run, scene } = stage.scene('float32');
  const { result } = await evaluated(run, { tasks: 3 });
  expect(result).not.toHaveProperty('weights');
  expect(scene.inputs('generate')).toHaveLength(12);
  expect(scene.inputs('generateForEvaluation')).toEqual([]);
});

test('a run that trains never asks for quantised weights, whatever its policy or its configuration carries', async () => {
  const policy = { ...policyRef(0), weights: 'int8' };
  const { run, scene } = stage.scene('smuggled', () => ({
    prepareRun: async () => ({ policy, warmupStep: 0, step: 0, before: [], warnings: [], weights: 'int8' }),
  }));
  const small = runWith({ warmup: { steps: 0 }, gate: { minSampledSolved: 0 }, training: { steps: 1, tasksPerStep: 2, groupSize: 2 } });
  const handle = await stage.train(run, { ...small, weights: 'int8', sampling: { ...small.sampling, weights: 'int8' } } as typeof small);
  expect(((await handle.result()) as TrainResult).phase).toBe('completed');
  expect(scene.inputs('generate').length).toBeGreaterThan(0);
  expect(scene.inputs('generate').filter((input) => 'weights' in input)).toEqual([]);
  expect(scene.inputs('generateForEvaluation')).toEqual([]);
});
