/**
 * @file The tokenizers of policies made from nothing: equal to what AutoTokenizer makes of a policy's directory (built_tokenizers_reference.py),
 * and closed to markup in texts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import type { Message } from '../../core/tasks/task.ts';
import { writeBuiltTokenizers } from './writeBuiltTokenizers.ts';

const folder = mkdtempSync(join(tmpdir(), 'turnwise-tokenizers-'));
writeBuiltTokenizers(folder);
afterAll(() => rmSync(folder, { recursive: true }));

interface Reference {
  readonly vocabSize: number;
  readonly eos: number;
  readonly pad: number;
  readonly encodings: readonly { readonly text: string; readonly ids: readonly number[]; readonly decoded: string }[];
  readonly chats: readonly { readonly messages: readonly Message[]; readonly withPrompt: string; readonly ids: readonly number[] }[];
}

const reference: Record<'tags' | 'bytes', Reference> = JSON.parse(readFileSync(join(import.meta.dirname, 'built_tokenizers.json'), 'utf8'));
const texts = fc.string({ unit: fc.constantFrom('<|end|>', '<|user|>', '<|bot|>', '<pad>', '<|', 'end', '|>', 'a', ' the', '7', '\n', 'é', '🙂') });

describe.each(['tags', 'bytes'] as const)('%s', async (name) => {
  const tokenizer = await PolicyTokenizer.load(join(folder, name));
  const expected = reference[name];

  test('has the sizes and ids of the reference', () => {
    expect(tokenizer).toMatchObject({ vocabSize: expected.vocabSize, endOfTurn: expected.eos, padId: expected.pad });
  });

  test.each(expected.encodings)('encodes and decodes $text', ({ text, ids, decoded }) => {
    expect([...tokenizer.encodeMarkup(text)]).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  test.each(expected.chats)('renders and encodes a chat of $messages.length messages', ({ messages, withPrompt, ids }) => {
    expect(tokenizer.template.text(messages, true)).toBe(withPrompt);
    expect([...tokenizer.encodePrompt(messages)]).toEqual(ids);
  });

  test('no text becomes a special token', () => {
    const specials = new Set([0, 1, 2, 3, 4]);
    fc.assert(
      fc.property(texts, (text) => {
        expect([...tokenizer.encodeText(text)].filter((id) => specials.has(id))).toEqual([]);
        expect([...tokenizer.encodePrompt([{ role: 'user', content: text }])].filter((id) => specials.has(id))).toEqual([1, 4, 2]);
        expect([...tokenizer.encodeObservation(text)].filter((id) => specials.has(id))).toEqual([3, 4, 2]);
      }),
    );
  });

  test('prompt, turns and observations put together are the whole conversation', () => {
    const word = fc.constantFrom('What is', ' the', "boss('", '9', 'none', '?', ' ');
    const text = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.tuple(text, text), { maxLength: 3 }), (prompt, turns) => {
        const pieces = [tokenizer.encodePrompt([{ role: 'user', content: prompt }])];
        for (const [turn, observation] of turns) pieces.push(tokenizer.encodeTurn(turn), tokenizer.encodeObservation(observation));
        const messages = turns.flatMap(([turn, observation]) => [
          { role: 'assistant' as const, content: turn },
          { role: 'tool' as const, content: observation },
        ]);
        const whole = tokenizer.encodePrompt([{ role: 'user', content: prompt }, ...messages]);
        expect(pieces.flatMap((piece) => [...piece])).toEqual([...whole]);
      }),
    );
  });
});

test('bytes: any text survives', async () => {
  const tokenizer = await PolicyTokenizer.load(join(folder, 'bytes'));
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => tokenizer.decode(tokenizer.encodeText(text)) === text.toWellFormed()));
});

test('tags: the longest word at each place; the tags of turns are words like any other; the rest is dropped', async () => {
  const tokenizer = await PolicyTokenizer.load(join(folder, 'tags'));
  const specials = ['<pad>', '<|user|>', '<|bot|>', '<|tool|>', '<|end|>'];
  const words = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.decode([id]));
  expect(words.slice(0, 9)).toEqual([...specials, '<code>', '</code>', '<answer>', '</answer>']);
  const longestMatch = (text: string): number[] => {
    const found = words.filter((word) => !specials.includes(word) && text.startsWith(word)).sort((a, b) => b.length - a.length)[0];
    if (text === '') return [];
    return found === undefined ? longestMatch(text.slice(1)) : [words.indexOf(found), ...longestMatch(text.slice(found.length))];
  };
  const text = fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (joined) => {
      expect([...tokenizer.encodeText(joined)]).toEqual(longestMatch(joined));
    }),
  );
});

const python = process.env['TURNWISE_PYTHON'];

test('transformers (TURNWISE_PYTHON) still gives what the reference says', { timeout: 120_000 }, () => {
  if (python === undefined) return expect.soft(python, 'TURNWISE_PYTHON is not set').toBeUndefined();
  const printed = execFileSync(python, [join(import.meta.dirname, 'built_tokenizers_reference.py'), folder], { encoding: 'utf8', maxBuffer: 2 ** 24 });
  const { tags, bytes } = JSON.parse(printed) as typeof reference;
  expect({ tags, bytes }).toEqual({ tags: reference.tags, bytes: reference.bytes });
});
