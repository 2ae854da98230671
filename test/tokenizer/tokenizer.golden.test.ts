/** @file Encodings, decodings and chat renderings equal those of transformers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import type { Message } from '../../core/tasks/task.ts';
import { goldenFolder, goldenModelNames } from '../model/goldenModels.ts';

interface Expected {
  readonly encodings: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
  readonly chats: readonly { readonly messages: readonly Message[]; readonly rendered: string; readonly withPrompt: string; readonly ids: readonly number[] }[];
}

describe.each(goldenModelNames())('%s', async (name) => {
  const directory = join(goldenFolder, 'models', name);
  const tokenizer = await PolicyTokenizer.load(directory);
  const { encodings, chats }: Expected = JSON.parse(readFileSync(join(directory, 'expected.json'), 'utf8'));

  test.each(encodings)('encodes and decodes $text', ({ text, ids, decoded }) => {
    expect([...tokenizer.encodeMarkup(text)]).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  test.each(chats)('renders and encodes a chat of $messages.length messages', ({ messages, rendered, withPrompt, ids }) => {
    expect(tokenizer.template.text(messages, false)).toBe(rendered);
    expect(tokenizer.template.text(messages, true)).toBe(withPrompt);
    expect([...tokenizer.encodeConversation(messages)]).toEqual(ids);
    expect(tokenizer.decode(tokenizer.encodePrompt(messages))).toBe(withPrompt);
  });
});
