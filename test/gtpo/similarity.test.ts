/** @file Code similarity: what counts, what does not, and that hostile text costs nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pythonTokens } from '../../core/gtpo/pythonTokens.ts';
import { embeddingCosine, shuffled, tokenCosine } from '../../core/gtpo/similarity.ts';
import { processorMs } from '../support/processorMs.ts';

const similarity = (a: string, b: string) => tokenCosine([a, b])(0, 1);

describe('tokens of Python source', () => {
  test('names, numbers, literals and operators; no comments, no layout', () => {
    expect(pythonTokens('def total(xs):  # sum\n    return xs[0] ** 2.5e3 + len("a # b")')).toEqual([
      'def',
      'total',
      '(',
      'xs',
      ')',
      ':',
      'return',
      'xs',
      '[',
      '0',
      ']',
      '**',
      '2.5e3',
      '+',
      'len',
      '(',
      '"a # b"',
      ')',
    ]);
  });

  test('literals: escapes, three quotes, unclosed ones', () => {
    expect(
      pythonTokens(String.raw`'it\'s' """a
"b" c""" "open`),
    ).toEqual([String.raw`'it\'s'`, '"""a\n"b" c"""', '"open']);
    expect(pythonTokens("x = 'open\ny")).toEqual(['x', '=', "'open", 'y']);
  });

  test('any text is covered: what is left out is blank, a continuation or a comment', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const source = text.replaceAll('#', '');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters count as blanks.
        const blank = /[\u0000-\u0020\\]/g;
        expect(pythonTokens(source).join('').replace(blank, '')).toBe(source.replace(blank, ''));
      }),
    );
  });

  test('a megabyte of quotes takes milliseconds, not minutes', () => {
    const all = ['"', "'", '"""', '\\', '#', '.', '*'].map((hostile) => hostile.repeat(1_000_000 / hostile.length));
    expect(processorMs(() => all.map((text) => pythonTokens(text)))).toBeLessThan(5_000);
  });
});

describe('tokenCosine', () => {
  test('equal programs are 1, whatever their layout; unrelated ones 0; no code 0', () => {
    expect(similarity('f( a,b ) # one', 'f(a, b)')).toBeCloseTo(1, 12);
    expect(similarity('alpha', 'beta')).toBe(0);
    expect(similarity('', 'f(a)')).toBe(0);
  });

  test('a value worked out by hand: one of two names differs', () => {
    // tokens x = a | x = b: three tokens and two pairs each; shared are x, = and the pair (x, =).
    expect(similarity('x = a', 'x = b')).toBeCloseTo(3 / 5, 12);
  });

  test('order counts through adjacent pairs', () => {
    // The same seven tokens (squares sum to 11); of the six pairs only (age is not (boss.
    expect(similarity('boss(age(x))', 'age(boss(x))')).toBeCloseTo((11 + 5) / (11 + 6), 12);
  });

  test('symmetric and within [0, 1]', () => {
    const code = fc.stringMatching(/^[abx()+= "\n1]{0,40}$/);
    fc.assert(
      fc.property(code, code, (a, b) => {
        expect(similarity(a, b)).toBe(similarity(b, a));
        expect(similarity(a, b)).toBeGreaterThanOrEqual(0);
        expect(similarity(a, b)).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });
});

describe('the other similarities', () => {
  test('embeddings: cosine of what a model made', () => {
    const cosine = embeddingCosine([[3, 4], Float32Array.of(4, 3), [0, 0]]);
    expect(cosine(0, 1)).toBeCloseTo(0.96, 12);
    expect(cosine(0, 2)).toBe(0);
    expect(() => embeddingCosine([[1], [1, 2]])(0, 1)).toThrow('one length');
  });

  test('the shuffled control deals out the same values in another order, by seed', () => {
    const values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
    const dealt = (seed: number) => values.map((_, i) => shuffled((unsolved) => values[unsolved] as number, [...values.keys()], seed)(i, 0));
    expect(dealt(1)).not.toEqual(values);
    expect(dealt(1)).toEqual(dealt(1));
    expect(dealt(2)).not.toEqual(dealt(1));
    expect(dealt(1).toSorted()).toEqual(values);
  });
});
