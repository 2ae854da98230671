/**
 * @file Users' files through real workflows: a policy made from nothing learns what a chat file says, although its trainer is killed on the way;
 * tasks whose prompts fill the context are left out, and the run goes on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowIds } from '../../core/run/names.ts';
import { resolveRunConfig } from '../../workers/config/runConfig.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { Turnwise, untilStarted } from './turnwise.ts';

let turnwise: Turnwise;
beforeAll(async () => {
  turnwise = await Turnwise.prepare(await temporaryDirectory('chats'));
  await turnwise.start();
}, 180_000);
afterAll(() => turnwise.stop(), 60_000);

const places = ['Paris', 'Rome', 'Oslo', 'Bern', 'Wien', 'Kyiv', 'Lima', 'Cairo'];

test('the held-out of twelve questions are all answered as the chats do', async () => {
  const folder = await temporaryDirectory('chats-data');
  const question = (i: number) => `Where is ${String.fromCharCode(97 + i)}?`;
  const answer = (i: number) => places[i % places.length] as string;
  const [chats, tasks] = [join(folder, 'chats.jsonl'), join(folder, 'tasks.jsonl')];
  const lines = (make: (i: number) => object) => Array.from({ length: 12 }, (_, i) => `${JSON.stringify(make(i))}\n`).join('');
  writeFileSync(
    chats,
    lines((i) => ({
      messages: [
        { role: 'user', content: question(i) },
        { role: 'assistant', content: `<answer>${answer(i)}</answer>` },
      ],
    })),
  );
  writeFileSync(
    tasks,
    lines((i) => ({ question: question(i), answer: answer(i) })),
  );
  const config = resolveRunConfig(
    {
      policy: { vocabulary: 'bytes', contextLength: 96 },
      tasks: [{ name: 'places', file: tasks, checker: 'exact', heldOutFraction: 0.5, maxTurns: 1 }],
      warmup: { chats: { file: chats }, steps: 150, batchSize: 12, stepsPerCommit: 50, optimizer: { lr: 0.003 } },
      training: { steps: 1, tasksPerStep: 2, groupSize: 2 },
      credit: { uniformGroups: 'keep' },
      evaluation: { tasks: 4, modes: ['greedy'] },
      sampling: { maxTokensPerTurn: 40 },
    },
    'test',
  );
  const client = await turnwise.client();
  await turnwise.train(client, 'taught', config);
  await untilStarted(client, workflowIds.warmup('taught'), 'warmUp');
  turnwise.kill('trainer');
  await client.connection.close();
  const { phase, before } = await turnwise.result('taught');
  expect(phase).toBe('completed');
  expect(before[0]?.solvedShare).toBe(1);
  const metrics = readFileSync(turnwise.runFile('taught', 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const warm = metrics.filter(({ kind }) => kind === 'warmup');
  expect(warm.map((line) => [line.step, line['chats/trained'], line['chats/epochs']])).toEqual([
    [50, 600, 50],
    [100, 1200, 100],
    [150, 1800, 150],
  ]);
  expect(warm.at(-1).loss).toBeLessThan(0.1 * warm[0].loss);
}, 240_000);

test('prompts that leave no room are named in the ledger, and their steps go on', async () => {
  const tasks = join(await temporaryDirectory('long-data'), 'tasks.jsonl');
  const length = (i: number) => (i % 2 === 0 ? 40 : 1);
  const line = (i: number) => JSON.stringify({ question: `${i}: ${'how many x '.repeat(length(i))}?`, answer: '1' });
  writeFileSync(tasks, Array.from({ length: 16 }, (_, i) => `${line(i)}\n`).join(''));
  const path = resolve('test/golden/models/qwen2-tiny');
  const config = resolveRunConfig(
    {
      policy: { path, contextLength: 128 },
      tasks: [{ name: 'long', file: tasks, checker: 'exact', heldOutFraction: 0.2, maxTurns: 1 }],
      warmup: { steps: 0 },
      gate: { minSampledSolved: 0 },
      training: { steps: 4, tasksPerStep: 1, groupSize: 2 },
      credit: { uniformGroups: 'keep' },
      evaluation: { tasks: 2, modes: ['sampled'] },
      sampling: { maxTokensPerTurn: 8 },
    },
    'test',
  );
  const client = await turnwise.client();
  await turnwise.train(client, 'long', config);
  await client.connection.close();
  const { phase, policy } = await turnwise.result('long');
  expect([phase, policy?.policyVersion]).toEqual(['completed', 4]);
  const ledger = readFileSync(turnwise.runFile('long', 'ledger.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text));
  expect(ledger).toHaveLength(8);
  const left = ledger.filter(({ trained }) => !trained);
  expect(new Set(left.map(({ stop_reason: stop, reason, outcome }) => `${stop} ${outcome} ${reason.split(':')[0]}`))).toEqual(
    new Set(['contextLength truncated context_length']),
  );
  expect(ledger.filter(({ trained }) => trained).every(({ turns }) => turns[0].sampled_tokens > 0)).toBe(true);
}, 240_000);
