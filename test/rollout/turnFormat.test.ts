/** @file Parsing a turn's text: worked examples of both formats, and properties that hold for any text a policy can write. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTurn } from '../../core/rollout/turnFormat.ts';
import { processorMs } from '../support/processorMs.ts';

const code = (text: string) => ({ kind: 'code', code: text });
const answer = (text: string) => ({ kind: 'answer', answer: text });
const malformed = (reason: RegExp) => ({ kind: 'malformed', reason: expect.stringMatching(reason) });

describe('tags', () => {
  test.each([
    ["<code>boss('kj')</code>", code("boss('kj')")],
    ['<answer>91</answer>', answer('91')],
    ['<code> a = 1\nb = 2 </code>', code(' a = 1\nb = 2 ')],
    ['<code>a < b</code>', code('a < b')],
    ['', malformed(/expected exactly/)],
    [' <code>1</code>', malformed(/expected exactly/)],
    ['<code>1</code>\n', malformed(/expected exactly/)],
    ['so <answer>1</answer>', malformed(/expected exactly/)],
    ['<code>1</answer>', malformed(/expected exactly/)],
    ['<code>1', malformed(/expected exactly/)],
    ['<code></code>', malformed(/<code> is empty/)],
    ['<code>1</code><code>2</code>', malformed(/<code> inside <code>/)],
    ['<code>1</code><answer>1</answer>', malformed(/expected exactly/)],
    ['<answer><|tool|>9</answer>', malformed(/<\|tool\|> inside <answer>/)],
    ['<code>', malformed(/expected exactly/)],
  ])('%j', (text, expected) => {
    expect(parseTurn(text, 'tags')).toEqual(expected);
  });

  test('what is wrapped comes back unchanged', () => {
    const plain = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !/<\/?(?:code|answer|pad)>|<\|\w+\|>/.test(text));
    fc.assert(
      fc.property(plain, (text) => {
        expect(parseTurn(`<code>${text}</code>`, 'tags')).toEqual(code(text));
        expect(parseTurn(`<answer>${text}</answer>`, 'tags')).toEqual(answer(text));
      }),
    );
  });

  test('anything around the tags is malformed', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.boolean(), (text, before) => {
        const around = before ? `${text}<code>1</code>` : `<code>1</code>${text}`;
        expect(parseTurn(around, 'tags').kind).toBe('malformed');
      }),
    );
  });
});

describe('fences', () => {
  test.each([
    ['I compute:\n```python\nprint(1)\n```', code('print(1)')],
    ['```py\n1\n```\nthen\n```python\n2\n3\n```\n', code('2\n3')],
    ['```python\n1\n```\nso \\boxed{7}', code('1')],
    ['```text\nnot code\n```\n<answer> 42 </answer>', answer('42')],
    ['the result is \\boxed{\\frac{1}{2}}.', answer('\\frac{1}{2}')],
    ['\\boxed{1} or rather \\boxed{\\{1, 2\\}}', answer('\\{1, 2\\}')],
    ['<answer>1</answer> no: <answer>2</answer>', answer('2')],
    ['<answer>\n```python\nprint(1)\n```\n</answer>', answer('```python\nprint(1)\n```')],
    ['<think>```python\n1\n```\n\\boxed{3}</think>\\boxed{4}', answer('4')],
    ['```python\nprint(1)', malformed(/not closed/)],
    ['```python\n\n```', malformed(/empty/)],
    ['\\boxed{1', malformed(/expected a ```python block/)],
    ['<answer> </answer>', malformed(/answer is empty/)],
    ['', malformed(/expected/)],
  ])('%j', (text, expected) => {
    expect(parseTurn(text, 'fences')).toEqual(expected);
  });

  test('a block comes back unchanged, whatever prose surrounds it', () => {
    const line = fc.string({ minLength: 1 }).filter((text) => !/[`<\\\n]/.test(text) && text.trim() !== '');
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.array(line), fc.array(line), (lines, before, after) => {
        const text = [...before, '```python', ...lines, '```', ...after].join('\n');
        expect(parseTurn(text, 'fences')).toEqual(code(lines.join('\n')));
      }),
    );
  });
});

test('never throws, and stays linear on hostile text', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('<code>', '</code>', '<answer>', '</answer>', '```', '```python', '\n', '\\boxed{', '}', '{', '\\', 'x', '</think>')),
      (parts) => {
        for (const format of ['tags', 'fences'] as const) expect(['code', 'answer', 'malformed']).toContain(parseTurn(parts.join(''), format).kind);
      },
    ),
  );
  const hostile = '\\boxed{<answer>```python\n'.repeat(40_000);
  expect(processorMs(() => parseTurn(hostile, 'fences'))).toBeLessThan(2_000);
  expect(processorMs(() => parseTurn(`<code>${hostile}`, 'tags'))).toBeLessThan(2_000);
});
