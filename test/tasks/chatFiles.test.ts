/** @file Users' chats: what is read, what is trained on, and that every bad line is an error with its place. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { buildTokenizer } from '../../activities/policy/tokenizer/builtTokenizers.ts';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import { openChats } from '../../activities/tasks/chatFile.ts';
import { readChat } from '../../activities/tasks/chatMessages.ts';
import { readRows } from '../../activities/tasks/readRows.ts';
import { chatRows } from '../../activities/trainer/chatRows.ts';
import { resolveRunConfig } from '../../workers/config/runConfig.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

let path = '';
let tokenizer: PolicyTokenizer;
beforeAll(async () => {
  tokenizer = await PolicyTokenizer.of(buildTokenizer('bytes'));
});
beforeEach(async () => {
  path = join(await temporaryDirectory('chats'), 'chats.jsonl');
});

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const write = (...lines: unknown[]) => writeFile(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
const open = (overLong: 'refuse' | 'leaveOut' | 'truncate' = 'refuse', contextLength = 100) => openChats({ file: path, overLong }, tokenizer, contextLength);
const problemOf = async (...lines: unknown[]) => {
  await write(...lines);
  return open().then(
    () => 'accepted',
    (error: Error) => error.message.replaceAll(path, 'FILE'),
  );
};

test('several turns: only what the assistant writes and its ends of turn are trained on', async () => {
  await write({ messages: [user('ab'), assistant('cd'), user('é'), assistant('f')] });
  const { rows } = await open();
  const [row] = rows;
  const trained = [...(row?.tokens ?? [])].filter((_, i) => row?.lossWeights[i] === 1);
  expect(tokenizer.decode(row?.tokens ?? [])).toBe('<|user|>ab<|end|><|bot|>cd<|end|><|user|>é<|end|><|bot|>f<|end|>');
  expect(tokenizer.decode(trained)).toBe('cd<|end|>f<|end|>');
});

test('calls of tools arrive as objects, whichever way they were written', () => {
  const call = (args: unknown) => ({ id: 'c1', type: 'function', function: { name: 'f', arguments: args } });
  const messages = (args: unknown) => [
    user('u'),
    { role: 'assistant', content: null, tool_calls: [call(args)] },
    { role: 'tool', content: [{ type: 'text', text: 'o' }], tool_call_id: 'c1' },
    assistant('a'),
  ];
  const expected = {
    messages: [user('u'), { ...assistant(''), tool_calls: [call({ b: 1 })] }, { role: 'tool', content: 'o', tool_call_id: 'c1' }, assistant('a')],
    tools: [{ type: 'function', function: { name: 'f' } }],
  };
  const tools = expected.tools;
  expect(readChat({ where: 'x', columns: { messages: messages('{"b": 1}'), tools, other: 1 } })).toEqual(expected);
  expect(readChat({ where: 'x', columns: { messages: messages({ b: 1 }), tools: JSON.stringify(tools) } })).toEqual(expected);
});

test.each([
  ['{"messages": [}', /^FILE:2: expected one JSON object on the line/],
  ['[1]', /^FILE:2: expected a JSON object/],
  [{ prompt: 'x' }, /^FILE:2: messages: expected array, got nothing/],
  [{ messages: [] }, /^FILE:2: messages: expected at least one message/],
  [{ messages: [user('u')] }, /^FILE:2: expected a message of the assistant/],
  [{ messages: [{ role: 'bot', content: 'x' }, assistant('a')] }, /^FILE:2: messages\[0\]\.role: expected one of .*got bot/],
  [{ messages: [user('u'), { role: 'assistant' }] }, /^FILE:2: messages\[1\]: expected content or tool_calls, got neither/],
  [{ messages: [{ ...user('u'), weight: 0 }, assistant('a')] }, /^FILE:2: messages\[0\]\.weight: .*remove this key/],
  [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }, assistant('a')] }, /^FILE:2: messages\[0\]\.content/],
  [
    { messages: [user('u'), { ...assistant('a'), tool_calls: [{ function: { name: 'f', arguments: '[1' } }] }] },
    /tool_calls\[0\]\.function\.arguments: expected a JSON object/,
  ],
  [{ messages: [user('u'), assistant('a'), { role: 'tool', content: 'o', tool_call_id: 'c9' }] }, /^FILE:2: messages\[2\]\.tool_call_id: .*before it, got c9/],
  [{ messages: [user('u'), assistant('a')], tools: 'none' }, /^FILE:2: tools: expected a list of functions/],
  [{ messages: [user('u'.repeat(99)), assistant('a')] }, /^FILE:2: expected at most policy.contextLength 100 tokens, got 10\d; raise it/],
])('a bad line is named: %j', async (line, expected) => {
  expect(await problemOf({ messages: [user('u'), assistant('a')] }, line)).toMatch(expected);
});

test('all bad lines are told at once, the first of them in full', async () => {
  const bad = { messages: [user('u')] };
  const lines = (await problemOf(...Array.from({ length: 8 }, () => bad))).split('\n');
  expect(lines[0]).toMatch(/^FILE:1:/);
  expect(lines[4]).toMatch(/^FILE:5:/);
  expect(lines[5]).toBe('… and 3 more rows');
});

test('over-long chats are left out or lose their end, and are counted', async () => {
  const long = { messages: [user('u'), assistant('a'.repeat(150))] };
  await write({ messages: [user('u'), assistant('a')] }, long, { messages: [user('u'.repeat(150)), assistant('a')] });
  expect(await open('leaveOut')).toMatchObject({ leftOut: 2, truncated: 0, rows: [{}] });
  const { rows, leftOut, truncated } = await open('truncate');
  expect([rows.length, leftOut, truncated]).toEqual([2, 1, 1]);
  expect(rows[1]?.tokens).toHaveLength(100);
  expect(rows[1]?.lossWeights.reduce((sum, weight) => sum + weight, 0)).toBe(96);
});

test('parquet holds the same chats', async () => {
  const messages = [user('ab'), assistant('cd')];
  await write({ messages });
  const expected = await open();
  path = path.replace('.jsonl', '.parquet');
  await writeFile(path, Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'messages', data: [messages], type: 'JSON' }] })));
  expect((await open()).rows).toEqual(expected.rows);
});

test('a null that parquet puts where a record of another row has a value is absent', async () => {
  const chats = [
    { city: 'Paris', query: null },
    { city: null, query: 'x' },
  ].map((given) => [user('u'), { role: 'assistant', tool_calls: [{ type: 'function', function: { name: 'f', arguments: given } }] }]);
  path = path.replace('.jsonl', '.parquet');
  await writeFile(path, Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'messages', data: chats, type: 'JSON' }] })));
  const { rows } = await readRows(path);
  expect(rows.map((row) => readChat(row).messages[1]?.tool_calls?.[0]?.function.arguments)).toEqual([{ city: 'Paris' }, { query: 'x' }]);
});

test('a file that is not the one of the configuration is refused', async () => {
  await write({ messages: [user('u'), assistant('a')] });
  const sha256 = '0'.repeat(64);
  await expect(openChats({ file: path, overLong: 'refuse', sha256 }, tokenizer, 100)).rejects.toThrow(`the run was configured with (sha256 ${sha256})`);
});

test('steps take the file in epochs, each chat once an epoch, whatever step one begins with', async () => {
  await write(...Array.from({ length: 5 }, (_, i) => ({ messages: [user('u'), assistant(String(i))] })));
  const chats = await open();
  const { warmup } = resolveRunConfig({ policy: { vocabulary: 'bytes' }, warmup: { chats: { file: path }, batchSize: 3 } }, 'test');
  const answers = (rows: ReturnType<ReturnType<typeof chatRows>>) => rows.map(({ tokens }) => tokenizer.decode(tokens.slice(-2, -1)));
  const drawn = chatRows(chats, { seed: 4, warmup });
  const epochs = [1, 2, 3, 4, 5].flatMap((step) => answers(drawn(step)));
  for (let epoch = 0; epoch < 3; epoch++) expect(epochs.slice(5 * epoch, 5 * epoch + 5).toSorted()).toEqual(['0', '1', '2', '3', '4']);
  expect(new Set([epochs.slice(0, 5), epochs.slice(5, 10), epochs.slice(10)].map(String)).size).toBeGreaterThan(1);
  expect(answers(chatRows(chats, { seed: 4, warmup })(4))).toEqual(epochs.slice(9, 12));
});
