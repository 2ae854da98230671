/** @file The stream of a run's tasks: proportions, epochs, what depends on the seed, and what is refused before a run starts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDrawTasks } from '../../activities/drawTasks.ts';
import { openTaskSources, type TasksConfig, taskSourcesLoader } from '../../activities/tasks/taskSources.ts';
import { validateTasks } from '../../activities/tasks/validateTasks.ts';
import type { TaskCard } from '../../core/rollout/types.ts';
import type { RunConfig, TaskSourceConfig } from '../../core/run/config.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

let directory = '';
beforeAll(async () => {
  directory = await temporaryDirectory('sources');
  const rows = Array.from({ length: 40 }, (_, i) => JSON.stringify({ prompt: `How much is ${i} plus ${i}?\nSay it.`, answer: 2 * i }));
  await writeFile(join(directory, 'sums.jsonl'), rows.join('\n'));
});

const chain: TaskSourceConfig = { name: 'chain', family: 'chain', weight: 3, options: {} };
const search: TaskSourceConfig = { name: 'find', family: 'search', weight: 1, options: {} };
const sums: TaskSourceConfig = { name: 'sums', file: 'sums.jsonl', weight: 1, checker: 'numeric', heldOutFraction: 0.25, maxTurns: 5, toolRequired: true };
const policy = { preset: 'nano', path: null, vocabulary: 'bytes', contextLength: 512, turnFormat: 'tags' } as const;
const config = (tasks: readonly TaskSourceConfig[], changed: Partial<TasksConfig> = {}): TasksConfig => ({ seed: 0, policy, tasks, ...changed });

test('any stretch of the stream has the sources in proportion, and does not depend on how it is drawn', async () => {
  const sources = await openTaskSources(config([chain, search, sums]), directory);
  const all = sources.draw('train', 0, 100);
  for (const [offset, count] of [
    [0, 100],
    [37, 25],
    [3, 10],
  ] as const) {
    const names = sources.draw('train', offset, count).map(({ ref }) => ref.source);
    const share = (name: string) => names.filter((other) => other === name).length / count;
    expect(share('chain')).toBeCloseTo(0.6, 5);
    expect(share('sums')).toBeCloseTo(0.2, 5);
  }
  const again = await openTaskSources(config([chain, search, sums]), directory);
  expect([...again.draw('train', 80, 20), ...again.draw('train', 0, 80)]).toEqual([...all.slice(80), ...all.slice(0, 80)]);
});

test('a card says what a workflow must know, and its reference makes the same task again', async () => {
  const sources = await openTaskSources(config([sums]), directory);
  const [card] = sources.draw('train', 0, 1);
  if (card === undefined) return expect.fail('expected a card');
  expect(card).toMatchObject({ family: 'sums', maxTurns: 5, tokenBudget: 512, toolRequired: true, observationStyle: 'full' });
  expect(card.id).toBe(`sums/train/${card.ref.index}`);
  expect(card.summary).toMatch(/^How much is \d+ plus \d+\? Say it\.$/);
  const task = sources.task(card.ref);
  expect(task.messages[0]?.content.replace('\n', ' ')).toBe(card.summary);
  expect(() => sources.task({ source: 'other', split: 'train', index: 0 })).toThrow("expected a source of sums, got 'other'");
});

test('a file is read in epochs: every row once in each, in a new order, no id twice', async () => {
  const sources = await openTaskSources(config([sums]), directory);
  const rows = sources.files.get('sums')?.train.length as number;
  const epochs = [0, 1].map((epoch) => sources.draw('train', epoch * rows, rows).map(({ ref }) => ref.index));
  expect(epochs[0]?.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => i));
  expect(epochs[1]?.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, i) => rows + i));
  expect(epochs[1]?.map((index) => index - rows)).not.toEqual(epochs[0]);
  const prompts = (seed: number) =>
    openTaskSources(config([sums], { seed }), directory).then((opened) => opened.draw('train', 0, 10).map(({ summary }) => summary));
  expect(await prompts(1)).not.toEqual(await prompts(2));
});

test('held-out tasks are the same whatever the seed, and none is a training task', async () => {
  const drawn = async (seed: number, split: 'train' | 'heldOut') => {
    const sources = await openTaskSources(config([chain, sums], { seed }), directory);
    return sources.draw(split, 0, 40).map(({ summary }) => summary);
  };
  expect(await drawn(1, 'heldOut')).toEqual(await drawn(2, 'heldOut'));
  const train = new Set([...(await drawn(1, 'train')), ...(await drawn(2, 'train'))]);
  expect((await drawn(1, 'heldOut')).filter((prompt) => train.has(prompt))).toEqual([]);
});

test('chat models are told the rules; policies made from nothing are not', async () => {
  const told = await openTaskSources(config([sums], { policy: { ...policy, turnFormat: 'fences' } }), directory);
  const ref = { source: 'sums', split: 'train', index: 0 } as const;
  expect(told.task(ref).messages.map(({ role }) => role)).toEqual(['system', 'user']);
  expect(told.task(ref).messages[0]?.content).toMatch(/```python block[\s\S]*\\boxed\{\}[\s\S]*5 turns/);
  const untold = await openTaskSources(config([sums]), directory);
  expect(untold.task(ref).messages.map(({ role }) => role)).toEqual(['user']);
});

describe('validation before a run', () => {
  const validate = (tasks: readonly TaskSourceConfig[], changed: Partial<TasksConfig> = {}, tasksPerStep = 8) =>
    validateTasks({ ...config(tasks, changed), training: { tasksPerStep } }, directory);

  test('reports each source', async () => {
    const { lines } = await validate([chain, sums]);
    expect(lines[0]).toBe('chain: family chain, procedural');
    expect(lines[1]).toMatch(/^sums: .*sums\.jsonl, trl columns prompt → answer, 40 rows: \d+ train, \d+ held out$/);
  });

  test.each<[string, readonly TaskSourceConfig[], Partial<TasksConfig>, number, RegExp]>([
    ['no source', [], {}, 8, /tasks: expected at least one source/],
    ['a name twice', [chain, { ...search, name: 'chain' }], {}, 8, /got 'chain' twice/],
    ['no weight', [{ ...chain, weight: 0 }], {}, 8, /expected a source with a weight above 0/],
    ['a wrong option', [{ ...chain, options: { hops: 'two' } } as TaskSourceConfig], {}, 8, /option 'hops' of task family 'chain'/],
    ['too few rows', [sums], {}, 64, /expected at least 64 training tasks \(training\.tasksPerStep\), got \d+; add rows or lower heldOutFraction/],
    ['nothing held out', [{ ...sums, heldOutFraction: 0 }], {}, 8, /expected at least one held-out task, got none of 40; raise heldOutFraction/],
    ['a file in the small vocabulary', [sums], { policy: { ...policy, vocabulary: 'tags' } }, 8, /got file 'sums\.jsonl'; set policy\.vocabulary to bytes/],
    ['a rich family in the small vocabulary', [{ ...chain, family: 'program' }], { policy: { ...policy, vocabulary: 'tags' } }, 8, /got family 'program'/],
    ['too short a context', [sums], { policy: { ...policy, contextLength: 16 } }, 8, /expected at least 8 training tasks/],
  ])('%s', async (_, tasks, changed, tasksPerStep, message) => {
    await expect(validate(tasks, changed, tasksPerStep)).rejects.toThrow(message);
  });
});

test('the activity draws from the run it is asked for, and a failed opening is tried again', async () => {
  const seeded = (seed: number) => config([chain], { seed }) as RunConfig;
  const configs = new Map([['b', seeded(2)]]);
  const loader = taskSourcesLoader(async (run) => {
    const found = configs.get(run);
    if (found === undefined) throw new Error(`run ${run}: not there yet`);
    return found;
  });
  const drawTasks = createDrawTasks({ sources: loader });
  const draw = (run: string): Promise<readonly TaskCard[]> =>
    new MockActivityEnvironment().run(drawTasks, { run, split: 'train', offset: 4, count: 2 } as const);
  await expect(draw('a')).rejects.toThrow('run a: not there yet');
  configs.set('a', seeded(1));
  const [a, b] = [await draw('a'), await draw('b')];
  expect(a.map(({ id }) => id)).toEqual(['chain/train/4', 'chain/train/5']);
  expect(a.map(({ summary }) => summary)).not.toEqual(b.map(({ summary }) => summary));
  expect(await loader('a')).toBe(await loader('a'));
  // Made anew under its name, with another seed.
  configs.set('a', seeded(2));
  expect(await draw('a')).toEqual(b);
});
