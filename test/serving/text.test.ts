/** @file Text that grows token by token equals text decoded at once, and is cut at the first stop text. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import { GrowingText } from '../../activities/serving/growingText.ts';
import { StopText } from '../../activities/serving/stopText.ts';

describe.each(['qwen2-tiny', 'qwen3-tiny', 'llama-tiny-bf16'])('%s', (name) => {
  const loading = PolicyTokenizer.load(join('test/golden/models', name));

  test('pieces of any tokens make up their text', async () => {
    const tokenizer = await loading;
    const ids = fc.integer({ min: 0, max: tokenizer.vocabSize - 1 });
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 40 }), (tokens) => {
        const growing = new GrowingText((some) => tokenizer.textOf(some));
        const pieces = [...tokens.map((token) => growing.push(token)), growing.end()];
        expect(pieces.join('')).toBe(tokenizer.textOf(tokens));
      }),
      { numRuns: 300 },
    );
  });

  test('pieces of real text hold whole characters, and the bytes of its tokens are its bytes', async () => {
    const tokenizer = await loading;
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (text) => {
        fc.pre(!text.includes('\uFFFD'));
        const tokens = [...tokenizer.encodeText(text)];
        const growing = new GrowingText((some) => tokenizer.textOf(some));
        const pieces = [...tokens.map((token) => growing.push(token)), growing.end()];
        expect(pieces.join('')).toBe(tokenizer.textOf(tokens));
        expect(pieces.join('')).not.toContain('\uFFFD');
        expect(Buffer.concat(tokens.map((token) => tokenizer.bytesOf(token))).toString('utf8')).toBe(tokenizer.textOf(tokens));
      }),
      { numRuns: 300 },
    );
  });
});

test('what is shown ends before the first stop text, however the text is cut into pieces', () => {
  const letters = (length: object) => fc.array(fc.constantFrom('a', 'b', 'c'), length).map((list) => list.join(''));
  fc.assert(
    fc.property(
      fc.array(letters({ maxLength: 4 }), { maxLength: 12 }),
      fc.array(letters({ minLength: 1, maxLength: 4 }), { maxLength: 3 }),
      (pieces, stops) => {
        const whole = pieces.join('');
        // Of stop texts that end at different places, the one that is complete first ends the text.
        const ends = stops.flatMap((stop) => (whole.includes(stop) ? [whole.indexOf(stop) + stop.length] : []));
        const stopping = new StopText(stops);
        let shown = '';
        let stopped = false;
        for (const piece of pieces.flatMap((text) => [...text])) {
          if (stopped) break;
          const next = stopping.push(piece);
          shown += next.text;
          stopped = next.stopped;
        }
        expect(stopped).toBe(ends.length > 0);
        if (!stopped) expect(shown + stopping.end()).toBe(whole);
        else {
          const end = Math.min(...ends);
          const starts = stops.filter((stop) => whole.slice(0, end).endsWith(stop)).map((stop) => end - stop.length);
          expect(shown).toBe(whole.slice(0, Math.min(...starts)));
        }
      },
    ),
    { numRuns: 500 },
  );
});
