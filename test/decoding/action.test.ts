/** @file What reports can show of a turn: its code or answer, and the words around it where there are any. */
import { beforeAll, expect, test } from 'vitest';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { actionOf } from '../../activities/policy/action.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

let root: string;
let store: ArtifactStore;
beforeAll(async () => {
  root = await temporaryDirectory('action');
  store = new ArtifactStore(root);
});

test.each([
  ['```python\nprint(1)\n```', { kind: 'code', code: { text: 'print(1)' } }],
  ['\n```py\nprint(1)\nprint(2)\n```\n', { kind: 'code', code: { text: 'print(1)\nprint(2)' } }],
  ['<answer> 42 </answer>', { kind: 'answer', answer: { text: '42' } }],
  ['\\boxed{4}', { kind: 'answer', answer: { text: '4' } }],
])('%j is all there is', async (text, action) => {
  expect(await actionOf(store, text, 'fences')).toEqual(action);
});

test.each([
  ['I count.\n```python\nprint(1)\n```', { kind: 'code', code: { text: 'print(1)' } }],
  ['```python\nprint(1)\n```\nDone: print(1)', { kind: 'code', code: { text: 'print(1)' } }],
  ['```python\na = 1\n```\n```python\nprint(1)\n```', { kind: 'code', code: { text: 'print(1)' } }],
  ['<think>six times seven</think><answer>42</answer>', { kind: 'answer', answer: { text: '42' } }],
  ['So it is \\boxed{4}.', { kind: 'answer', answer: { text: '4' } }],
])('%j says more', async (text, action) => {
  expect(await actionOf(store, text, 'fences')).toEqual({ ...action, text: { text } });
});

test('a long turn goes to the store', async () => {
  const text = `${'Well, '.repeat(60)}<answer>42</answer>`;
  const action = await actionOf(store, text, 'fences');
  expect(action).toEqual({ kind: 'answer', answer: { text: '42' }, text: { ref: expect.objectContaining({ byteLength: text.length }) } });
  expect(await store.fromText((action as { text: { ref: { sha256: string; byteLength: number } } }).text)).toBe(text);
});

test('tags hold nothing but their content; a malformed turn is shown whole', async () => {
  expect(await actionOf(store, '<code>age(1)</code>', 'tags')).toEqual({ kind: 'code', code: { text: 'age(1)' } });
  expect(await actionOf(store, 'well', 'fences')).toMatchObject({ kind: 'malformed', text: { text: 'well' } });
});
