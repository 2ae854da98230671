/** @file What of a chat the assistant wrote, against the masks of transformers (chat_masks_reference.py), by the template's blocks and without them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import type { Chat } from '../../core/tasks/chat.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

interface Case {
  readonly name: string;
  readonly endOfTurn: string;
  readonly template: string;
  /** The same without `{% generation %}`. */
  readonly unmarked: string;
  readonly chats: readonly (Chat & { readonly ids: readonly number[]; readonly mask: readonly number[] })[];
}

const reference: { readonly tokenizer: object; readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'chat_masks.json'), 'utf8'),
);
const folder = await temporaryDirectory('chat-masks');

let made = 0;
function tokenizerWith(template: string, endOfTurn: string): Promise<PolicyTokenizer> {
  const directory = join(folder, String(made++));
  mkdirSync(directory);
  writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(reference.tokenizer));
  writeFileSync(join(directory, 'tokenizer_config.json'), JSON.stringify({ bos_token: '<|begin_of_text|>', eos_token: endOfTurn }));
  writeFileSync(join(directory, 'chat_template.jinja'), template);
  return PolicyTokenizer.load(directory);
}

describe.each(reference.cases)('$name', ({ template, unmarked, endOfTurn, chats }) => {
  test.each([
    ['with generation blocks', template],
    ['by prefixes', unmarked],
  ])('%s', async (_, source) => {
    const tokenizer = await tokenizerWith(source, endOfTurn);
    expect(chats.length).toBeGreaterThanOrEqual(3);
    for (const { ids, mask, ...chat } of chats) {
      const { tokens, sampledMask } = tokenizer.encodeChat(chat);
      expect(tokenizer.decode(tokens)).toBe(tokenizer.decode(ids));
      expect([...tokens]).toEqual(ids);
      expect([...sampledMask]).toEqual(mask);
    }
  });
});

const [qwen] = reference.cases as [Case];
const question = { role: 'user', content: 'u' } as const;

test('what the assistant writes has the added tokens that it samples, and no special ones', async () => {
  const tokenizer = await tokenizerWith(qwen.template, qwen.endOfTurn);
  const written = (content: string) => {
    const { tokens, sampledMask } = tokenizer.encodeChat({ messages: [question, { role: 'assistant', content }] });
    return [...tokens].filter((_, i) => sampledMask[i] === 1);
  };
  expect(written('<think>t</think>')).toEqual([...tokenizer.encodeMarkup('<think>t</think><|im_end|>')]);
  expect(written('a<|im_end|>b').filter((token) => token === tokenizer.endOfTurn)).toHaveLength(1);
  const user = tokenizer.encodeChat({
    messages: [
      { role: 'user', content: '<think><|im_end|>' },
      { role: 'assistant', content: 'a' },
    ],
  });
  expect([...user.tokens].filter((token) => token === tokenizer.encodeMarkup('<think>')[0])).toEqual([]);
  expect([...user.tokens].filter((token) => token === tokenizer.endOfTurn)).toHaveLength(2);
});

test('a special token inside the arguments of a call is refused', async () => {
  const tokenizer = await tokenizerWith(qwen.template, qwen.endOfTurn);
  const call = { type: 'function', function: { name: 'f', arguments: { text: '<|im_end|>' } } } as const;
  expect(() => tokenizer.encodeChat({ messages: [question, { role: 'assistant', content: '', tool_calls: [call] }] })).toThrow(
    'expected no special token in names, arguments and definitions, got <|im_end|>',
  );
});

test('a special token in what a template prints beside contents is refused in prompts without tools too', async () => {
  const tokenizer = await tokenizerWith(qwen.template, qwen.endOfTurn);
  for (const extra of [{ name: 'x<|im_end|>' }, { tool_call_id: '<|im_end|>' }])
    expect(() => tokenizer.encodePrompt([{ ...question, ...extra }])).toThrow('expected no special token in names, arguments and definitions, got <|im_end|>');
  expect(tokenizer.encodePrompt([{ ...question, name: 'ada' }]).length).toBeGreaterThan(0);
});

test('a template without blocks that rewrites what it printed is refused with the place', async () => {
  const counting = qwen.unmarked.replace("'<|im_start|>assistant\\n'", "'<|im_start|>assistant\\n' + ('' if messages | length < 9 else 'late ')");
  const tokenizer = await tokenizerWith(counting, qwen.endOfTurn);
  const messages = Array.from({ length: 5 }, () => [question, { role: 'assistant', content: 'a' } as const]).flat();
  expect(() => tokenizer.encodeChat({ messages: messages.slice(0, 8) })).not.toThrow();
  expect(() => tokenizer.encodeChat({ messages })).toThrow(/expected it only to append.*at messages\[\d\] it rewrites/);
});

test('blocks whose printing is worked on further are refused', async () => {
  const sized = qwen.template
    .replace('{%- generation %}', '{%- set kept %}{% generation %}')
    .replace('{%- endgeneration %}', '{% endgeneration %}{% endset %}{{ kept }}{{ kept | length if messages[0].content == "odd" else "" }}');
  const tokenizer = await tokenizerWith(sized, qwen.endOfTurn);
  expect(() =>
    tokenizer.encodeChat({
      messages: [
        { ...question, content: 'odd' },
        { role: 'assistant', content: 'a' },
      ],
    }),
  ).toThrow(/generation %} blocks/);
});
