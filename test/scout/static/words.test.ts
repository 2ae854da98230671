/** @file Terms of words, words of sources, and parts of issues. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { issueTermsOf } from '../../../core/scout/issueTerms.ts';
import { spansOf } from '../../../core/scout/issueText.ts';
import { mentionsOf } from '../../../core/scout/mentions.ts';
import { partsOf, termsOf } from '../../../core/scout/subtokens.ts';
import { visitWords } from '../../../core/scout/words.ts';

test('an identifier is its parts and itself, however it is written', () => {
  expect(partsOf('parseHTTPHeader2_fast')).toEqual(['parse', 'http', 'header2', 'fast']);
  expect(partsOf('URLs')).toEqual(['urls']);
  expect(termsOf('getAbsoluteURL')).toEqual(termsOf('get_absolute_url'));
  expect(termsOf('get_absolute_url')).toContain('getabsoluteurl');
  expect(termsOf('URLs')).toEqual(termsOf('url'));
});

test.each([
  ['queries', 'query'],
  ['parsing', 'parsed'],
  ['classes', 'class'],
  ['installation', 'install'],
  ['serializer', 'serialize'],
])('%s and %s meet in one term', (a, b) => {
  expect(termsOf(a)).toEqual(termsOf(b));
});

test('terms of any text are short, lower case and the same each time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (word) => {
      const terms = termsOf(word);
      expect(terms).toEqual(termsOf(word));
      for (const term of terms) expect(term.length).toBeLessThanOrEqual(64);
    }),
  );
});

test('words of Python have the role of the place they stand in', () => {
  const source = 'x = call(y)  # a comment\n"""doc "quoted" text"""\ns = \'it\\\'s\' + name';
  const seen: string[] = [];
  visitWords(source, 'python', (word, role, offset) => {
    expect(source.startsWith(word, offset)).toBe(true);
    seen.push(`${role}:${word}`);
  });
  expect(seen).toEqual([
    'code:x',
    'call:call',
    'code:y',
    'comment:a',
    'comment:comment',
    'string:doc',
    'string:quoted',
    'string:text',
    'code:s',
    'string:it',
    'string:s',
    'code:name',
  ]);
});

test('a lifetime of Rust begins no string, and a comment that never ends goes to the end', () => {
  const seen: string[] = [];
  visitWords("fn f<'a>(x: &'a str) { g(); /* all the rest", 'rust', (word, role) => seen.push(`${role}:${word}`));
  expect(seen).toEqual(['code:fn', 'code:f', 'code:a', 'code:x', 'code:a', 'code:str', 'call:g', 'comment:all', 'comment:the', 'comment:rest']);
});

const issue = `Cart.total_price ignores coupons
<!-- please search before you report -->
Since 2.1 the \`coupon\` argument does nothing, see https://example.org/docs and
https://github.com/o/shop/blob/main/shop/prices.py#L3.

\`\`\`python
Cart(None).total_price(coupon=Coupon(share=0.5))
\`\`\`

Traceback (most recent call last):
  File "/usr/lib/python3/site-packages/shop/cart.py", line 13, in total_price
    return sum(discounted_price(item, coupon) for item in self.items)
  File "/usr/lib/python3/site-packages/shop/prices.py", line 3, in discounted_price
    if coupon is None:
ValueError: bad coupon

After that nothing works.`;

test('an issue is taken apart into title, prose, code and traceback; comments and addresses go', () => {
  const spans = spansOf(issue);
  const textOf = (role: string) => spans.filter((span) => span.role === role).map(({ text }) => text.trim());
  expect(textOf('title')).toEqual(['Cart.total_price ignores coupons']);
  expect(textOf('inlineCode')).toEqual(['coupon']);
  expect(textOf('codeBlock')).toEqual(['Cart(None).total_price(coupon=Coupon(share=0.5))']);
  expect(textOf('traceback')).toHaveLength(6);
  expect(textOf('prose').join(' ')).not.toMatch(/search before|example\.org/);
  expect(textOf('prose').at(-1)).toBe('After that nothing works.');
});

test('terms are counted by the part they stand in; neighbouring words are also one identifier', () => {
  const terms = new Map(issueTermsOf(spansOf('Wrong total price\nThe `price` of it')).map((term) => [term.term, term]));
  expect(terms.get('pric')?.counts).toEqual([1, 0, 1, 0, 0]);
  expect(terms.get('totalpric')?.joined).toBe(true);
});

test('paths, symbols and frames are mentions; the innermost frame has depth 0', () => {
  const mentions = mentionsOf(spansOf(issue));
  expect(mentions.filter(({ kind }) => kind === 'path').map(({ text }) => text)).toEqual(['shop/prices.py']);
  expect(mentions).toContainEqual({ kind: 'symbol', text: 'Cart.total_price', inTitle: true, asCode: false });
  const frames = mentions.filter((mention) => mention.kind === 'traceback');
  expect(frames.map(({ function: name, line, depth }) => [name, line, depth])).toEqual([
    ['discounted_price', 3, 0],
    ['total_price', 13, 1],
  ]);
});
