/** @file Users' task files: every known layout is detected and read, every bad row is an error with its place and remedy, and what is left out is counted. */
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeEach, describe, expect, test } from 'vitest';
import { type FileSourceConfig, loadTaskFile } from '../../activities/tasks/taskFile.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

let directory = '';
beforeEach(async () => {
  directory = await temporaryDirectory('tasks');
});

const source: FileSourceConfig = { name: 'mine', file: 'tasks.jsonl', weight: 1, checker: 'numeric', heldOutFraction: 0, maxTurns: 4, toolRequired: false };
const load = (changed: Partial<FileSourceConfig> = {}, longest = 1_000) =>
  loadTaskFile({ ...source, ...changed }, { baseDirectory: directory, fits: (messages) => messages.every(({ content }) => content.length <= longest) });
const write = (lines: readonly unknown[], file = 'tasks.jsonl') =>
  writeFile(join(directory, file), lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const number = (expected: number) => ({ kind: 'numeric', expected, relativeTolerance: 1e-6 });

describe('the files in examples/tasks', () => {
  const example = (file: string, checker: FileSourceConfig['checker']) =>
    loadTaskFile({ ...source, file, checker }, { baseDirectory: 'examples/tasks', fits: () => true });

  test.each([
    ['gsm8k.jsonl', 'numeric', 'gsm8k', 'question', 'answer', [72, 409, 24, 1020]],
    ['openai.jsonl', 'numeric', 'openai', 'messages', 'messages (last assistant)', [29, 59, 76]],
    ['verl.jsonl', 'numeric', 'verl', 'prompt', 'reward_model.ground_truth', [21, 214, 21]],
    ['trl.jsonl', 'math', 'trl', 'prompt', 'solution', ['\\sqrt{2}', 'x^2 - x - 6', '12']],
  ] as const)('%s', async (file, checker, name, promptColumn, answerColumn, expected) => {
    const { layout, train, heldOut, rows } = await example(file, checker);
    expect(layout).toEqual({ name, promptColumn, answerColumn });
    expect(train.map((task) => 'expected' in task.checker && task.checker.expected)).toEqual(expected);
    expect([rows, heldOut.length]).toEqual([expected.length, 0]);
    for (const { messages } of train) expect(messages.at(-1)?.role).toBe('user');
  });

  test('programs.jsonl', async () => {
    const { train } = await example('programs.jsonl', 'code');
    expect(train.map(({ checker }) => checker.kind === 'code' && checker.cases)).toEqual([
      [
        { stdin: 'hello\n', stdout: 'olleh\n' },
        { stdin: 'a b\n', stdout: 'b a\n' },
        { stdin: '\n', stdout: '\n' },
      ],
      [
        { stdin: '3\n1\n9\n4\n', stdout: '9\n' },
        { stdin: '1\n-5\n', stdout: '-5\n' },
      ],
    ]);
  });
});

describe('columns', () => {
  test.each<[string, object, unknown]>([
    ['messages with an answer column', { messages: [user('q'), assistant('so 3')], answer: 3 }, 3],
    ['prompt as messages, label', { prompt: [user('q')], label: '4' }, 4],
    ['ground_truth', { prompt: 'q', ground_truth: '5', source: 'somewhere' }, 5],
    ['problem and solution with a box', { problem: 'q', solution: 'Thus \\boxed{6}.' }, 6],
    ['content in parts', { messages: [{ role: 'user', content: [{ type: 'text', text: 'q' }] }], answer: '7' }, 7],
  ])('%s', async (_, row, expected) => {
    await write([row]);
    const { train } = await load();
    expect(train).toEqual([{ messages: [user('q')], checker: number(expected as number) }]);
  });

  test.each<[object, RegExp]>([
    [{ prompt: 'q', question: 'q', answer: '1' }, /tasks\.jsonl: expected one column with the question, got prompt and question; leave one/],
    [{ prompt: 'q', answer: '1', label: '1' }, /expected one column with the answer, got answer and label; leave one/],
    [{ text: 'q', answer: '1' }, /expected columns of one of: messages .* got text, answer; rename the column with the question to 'prompt'/],
    [{ prompt: 'q', gold: '1' }, /got prompt, gold; rename the column with the expected answer to 'answer'/],
    [{ question: 'q', reward_model: { ground_truth: '1' } }, /expected 'prompt' beside 'reward_model'/],
  ])('%j is ambiguous or incomplete', async (row, message) => {
    await write([row]);
    await expect(load()).rejects.toThrow(message);
  });
});

describe('bad rows', () => {
  test.each<[unknown, RegExp]>([
    ['{"prompt": "q",', /tasks\.jsonl:2: expected one JSON object on the line, got \{"prompt": "q",: .*; write one object a line/],
    ['[1]', /tasks\.jsonl:2: expected a JSON object, got \[1\]/],
    [{ prompt: 'q' }, /tasks\.jsonl:2: expected an answer in 'answer', got null; fill it in or drop the row/],
    [{ prompt: 'q', answer: 'many' }, /tasks\.jsonl:2: expected a number as the answer, got many; correct it, or use checker 'exact' or 'math'/],
    [{ prompt: 7, answer: '1' }, /tasks\.jsonl:2: expected 'prompt' to be a text or a list of messages, got 7/],
    [{ prompt: [{ role: 'bot', content: 'q' }], answer: '1' }, /tasks\.jsonl:2: prompt\[0\]: expected role system, user, assistant or tool, got bot/],
    [{ prompt: [{ role: 'user', content: [{ type: 'image_url' }] }], answer: '1' }, /tasks\.jsonl:2: prompt\[0\]: expected content to be text/],
    [{ prompt: 'first', answer: '2' }, /tasks\.jsonl:2: expected the answer of the same question at .*tasks\.jsonl:1, got another; drop one of the two/],
  ])('%j', async (row, message) => {
    await write([{ prompt: 'first', answer: '1' }, row]);
    await expect(load()).rejects.toThrow(message);
  });

  test('all are found before a run starts: five are shown, the rest counted', async () => {
    await write(Array.from({ length: 12 }, (_, i) => ({ prompt: `q${i}`, answer: i % 2 === 0 ? 'none' : '1' })));
    const error = await load().catch((caught: Error) => caught);
    if (!(error instanceof Error)) return expect.fail('expected an error');
    expect(error.message.split('\n').map((line) => /:(\d+): /.exec(line)?.[1])).toEqual(['1', '3', '5', '7', '9', undefined]);
    expect(error.message).toMatch(/… and 1 more rows$/);
  });

  test('test cases that are none', async () => {
    await write([{ prompt: 'q', answer: 'def f(): pass' }]);
    await expect(load({ checker: 'code' })).rejects.toThrow(/expected test cases as JSON, got def f\(\): pass/);
    await write([{ prompt: 'q', answer: { inputs: ['1'], outputs: [] } }]);
    await expect(load({ checker: 'code' })).rejects.toThrow(/expected as many outputs as inputs \(1\), got 0/);
    await write([{ prompt: 'q', answer: [{ stdin: '1' }] }]);
    await expect(load({ checker: 'code' })).rejects.toThrow(/got \{"stdin":"1"\} as case 1/);
  });

  test.each([
    ['missing.jsonl', /missing\.jsonl: expected a file of tasks \(ENOENT\); paths are taken from the directory of the run's configuration/],
    ['.', /expected a file of tasks, got a directory/],
    ['tasks.csv', /expected a \.jsonl or \.parquet file, got '\.csv'/],
    ['empty.jsonl', /expected at least one task, got an empty file/],
    ['broken.parquet', /broken\.parquet: expected a readable parquet file, got: /],
  ])('%s', async (file, message) => {
    await write(['a,b'], 'tasks.csv');
    await write([], 'empty.jsonl');
    await write(['no parquet'], 'broken.parquet');
    await expect(load({ file })).rejects.toThrow(message);
  });
});

test('empty, duplicate and over-long rows are left out and counted', async () => {
  await write([
    { prompt: 'a', answer: '1' },
    '',
    { prompt: '  ', answer: '1' },
    { prompt: 'a', answer: '1' },
    { prompt: 'x'.repeat(2_000), answer: '1' },
    { prompt: 'b', answer: '2' },
  ]);
  const { rows, empty, duplicate, overLong, train } = await load();
  expect({ rows, empty, duplicate, overLong, train: train.length }).toEqual({ rows: 6, empty: 2, duplicate: 1, overLong: 1, train: 2 });
});

test('the split follows the prompt alone: the order of rows and other rows change nothing', async () => {
  const questions = Array.from({ length: 400 }, (_, i) => ({ prompt: `question ${i}`, answer: String(i) }));
  await write(questions);
  const first = await load({ heldOutFraction: 0.25 });
  await write(questions.slice(100).toReversed());
  const second = await load({ heldOutFraction: 0.25 });
  const heldOut = (file: typeof first) => new Set(file.heldOut.map(({ messages }) => messages[0]?.content));
  const known = heldOut(first);
  expect([...heldOut(second)].filter((question) => !known.has(question))).toEqual([]);
  expect(first.heldOut.length).toBeGreaterThan(75);
  expect(first.heldOut.length).toBeLessThan(125);
  expect(first.train.length + first.heldOut.length).toBe(400);
});

test('parquet reads like JSON lines, through a symbolic link', async () => {
  const columns = [
    { name: 'question', data: ['one?', 'two?'], type: 'STRING' as const },
    { name: 'answer', data: [10n, 2n ** 40n], type: 'INT64' as const },
  ];
  await writeFile(join(directory, 'real.parquet'), new Uint8Array(parquetWriteBuffer({ columnData: columns })));
  await symlink(join(directory, 'real.parquet'), join(directory, 'link.parquet'));
  const { train, layout, sha256 } = await load({ file: 'link.parquet' });
  expect(layout.name).toBe('gsm8k');
  expect(train).toEqual([
    { messages: [user('one?')], checker: number(10) },
    { messages: [user('two?')], checker: number(2 ** 40) },
  ]);
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('nested columns of parquet, as verl writes them', async () => {
  const rows = [
    { prompt: [user('three?')], reward_model: { style: 'rule', ground_truth: '3' } },
    { prompt: [user('four?')], reward_model: { style: 'rule', ground_truth: '4' } },
  ];
  const columnData = [
    { name: 'prompt', data: rows.map(({ prompt }) => prompt), type: 'JSON' as const },
    { name: 'reward_model', data: rows.map((row) => row.reward_model), type: 'JSON' as const },
  ];
  await writeFile(join(directory, 'verl.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })));
  const { train, layout } = await load({ file: 'verl.parquet' });
  expect(layout).toEqual({ name: 'verl', promptColumn: 'prompt', answerColumn: 'reward_model.ground_truth' });
  expect(train.map(({ checker }) => checker)).toEqual([number(3), number(4)]);
});
