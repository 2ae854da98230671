/** @file metrics.jsonl, evaluations.jsonl and the TensorBoard file: one entry a step across retries and restarts; readable by TensorBoard itself. */
import { execFileSync } from 'node:child_process';
import { appendFile, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { createRecordEvaluation } from '../../activities/recordEvaluation.ts';
import { createRecordStep } from '../../activities/recordStep.ts';
import { crc32c } from '../../activities/records/crc32c.ts';
import { EventFile, readEvents } from '../../activities/records/eventFile.ts';
import { type EvaluationLine, type MetricsLine, metricsOf, readLines } from '../../activities/records/lines.ts';
import { readRun } from '../../activities/records/readRun.ts';
import { asActivity } from './syntheticRun.ts';
import { temporaryHome } from './temporaryHome.ts';

const eventPath = (home: string) => join(runPaths(home, 'synthetic').tensorboard, 'events.out.tfevents.turnwise');
const events = async (home: string) => readEvents(await readFile(eventPath(home))).events;

test('CRC-32C of the standard check input', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

test('one line and one event a step, however often it is recorded', async () => {
  const { home } = await temporaryHome();
  const recordStep = asActivity(createRecordStep({ home }));
  const step = (kind: 'step' | 'warmup', number: number, reward: number) =>
    recordStep({ run: 'synthetic', kind, step: number, policyVersion: number, metrics: { 'reward/mean': reward, kl: Number.NaN } });
  await step('warmup', 50, 0.1);
  await step('step', 1, 0.25);
  await step('step', 2, 0.5);
  await step('step', 2, 0.75);
  await step('step', 1, 0.75);
  const lines = await readLines<MetricsLine>(runPaths(home, 'synthetic').metrics);
  expect(lines.map((line) => [line.kind, line.step, metricsOf(line)])).toEqual([
    ['warmup', 50, { 'reward/mean': 0.1 }],
    ['step', 1, { 'reward/mean': 0.25 }],
    ['step', 2, { 'reward/mean': 0.5 }],
  ]);
  expect((await events(home)).map((event) => [event.step, event.tags, event.scalars])).toEqual([
    [0, [], []],
    [0, ['run'], [undefined]],
    [50, ['warmup/reward/mean'], [Math.fround(0.1)]],
    [1, ['reward/mean'], [0.25]],
    [2, ['reward/mean'], [0.5]],
  ]);
});

test('evaluations: one line a mode, retried or not', async () => {
  const { home } = await temporaryHome();
  const record = asActivity(createRecordEvaluation({ home }));
  const result = {
    policyVersion: 0,
    mode: 'greedy' as const,
    tasks: 8,
    samples: 8,
    solved: 6,
    counted: 8,
    solvedShare: 0.75,
    standardError: 0.15,
    meanTurns: 2.5,
  };
  await record({ run: 'synthetic', step: 0, results: [result] });
  await record({ run: 'synthetic', step: 0, results: [result, { ...result, mode: 'sampled' }] });
  const lines = await readLines<EvaluationLine>(runPaths(home, 'synthetic').evaluations);
  expect(lines.map(({ step, mode, solvedShare }) => [step, mode, solvedShare])).toEqual([
    [0, 'greedy', 0.75],
    [0, 'sampled', 0.75],
  ]);
  expect((await events(home)).flatMap(({ tags }) => tags)).toEqual([
    'run',
    ...['greedy', 'sampled'].flatMap((mode) => ['solved', 'solved_stderr', 'num_turns'].map((name) => `eval/${mode}/${name}`)),
  ]);
});

test('another process goes on where a torn event file ends', async () => {
  const { home } = await temporaryHome();
  const directory = runPaths(home, 'synthetic').tensorboard;
  const append = (step: number) => new EventFile(directory, 'a run').append({ step, wallTimeSeconds: 1000 + step, scalars: { loss: step / 4 } });
  for (const step of [1, 2, 3]) await append(step);
  await truncate(eventPath(home), (await readFile(eventPath(home))).length - 5);
  for (const step of [2, 3, 4]) await append(step);
  expect((await events(home)).slice(2).map(({ step, wallTimeSeconds, scalars }) => [step, wallTimeSeconds, scalars])).toEqual(
    [1, 2, 3, 4].map((step) => [step, 1000 + step, [step / 4]]),
  );
});

const python = process.env['TURNWISE_PYTHON'] ?? 'python3';

test.skipIf(!hasTensorBoard())(`TensorBoard's own reader sees the same (skipped where ${python} has no tensorboard)`, async () => {
  const { home } = await temporaryHome();
  const recordStep = asActivity(createRecordStep({ home }));
  for (const step of [1, 2, 3]) await recordStep({ run: 'synthetic', kind: 'step', step, policyVersion: step, metrics: { 'reward/mean': step / 8 } });
  const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
run = EventAccumulator(sys.argv[1]); run.Reload()
print(json.dumps({"scalars": [[e.step, e.value] for e in run.Scalars("reward/mean")], "text": run.Tensors("run/text_summary" if "run/text_summary" in run.Tags()["tensors"] else "run")[0].tensor_proto.string_val[0].decode()}))`;
  const read = JSON.parse(
    execFileSync(python, ['-c', script, runPaths(home, 'synthetic').tensorboard], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  expect(read.scalars).toEqual([
    [1, 0.125],
    [2, 0.25],
    [3, 0.375],
  ]);
  expect(read.text).toContain('# synthetic');
});

function hasTensorBoard(): boolean {
  try {
    execFileSync(python, ['-c', 'import tensorboard'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a line that a stalled attempt wrote again, long after its step, is read once', async () => {
  const { home } = await temporaryHome();
  const recordStep = asActivity(createRecordStep({ home }));
  const record = (step: number) => recordStep({ run: 'synthetic', kind: 'step', step, policyVersion: step, metrics: { 'reward/mean': step } });
  for (const step of [1, 2, 3]) await record(step);
  const { metrics } = runPaths(home, 'synthetic');
  const [, second] = (await readFile(metrics, 'utf8')).split('\n');
  await appendFile(metrics, `${second}\n`);
  await record(4);
  const { steps } = await readRun(home, 'synthetic');
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
});
