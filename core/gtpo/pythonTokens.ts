/**
 * @file Python source as the tokens that carry meaning: names, numbers, string literals and operators.
 * Comments and layout say nothing about what a program does and are left out. Never fails: a policy writes anything. Linear in the text.
 */

const isName = (code: number) => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
const isDigit = (code: number) => code >= 48 && code <= 57;
const isSpace = (code: number) => code <= 32 || code === 92;
const [newline, hash, doubleQuote, singleQuote, dot, backslash] = [10, 35, 34, 39, 46, 92];

/** Longest first, so that `**=` is one token. */
const longOperators = [
  '**=',
  '//=',
  '>>=',
  '<<=',
  '...',
  '**',
  '//',
  '>>',
  '<<',
  '<=',
  '>=',
  '==',
  '!=',
  '->',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  ':=',
  '@=',
];

export function pythonTokens(source: string): string[] {
  const tokens: string[] = [];
  let position = 0;
  while (position < source.length) {
    const code = source.charCodeAt(position);
    if (isSpace(code)) position += 1;
    else if (code === hash) position = lineEnd(source, position);
    else {
      const end = tokenEnd(source, position, code);
      tokens.push(source.slice(position, end));
      position = end;
    }
  }
  return tokens;
}

function tokenEnd(source: string, start: number, code: number): number {
  if (code === doubleQuote || code === singleQuote) return stringEnd(source, start, code);
  if (isDigit(code) || (code === dot && isDigit(source.charCodeAt(start + 1)))) {
    return skip(source, start, (next) => isDigit(next) || isName(next) || next === dot);
  }
  if (isName(code)) return skip(source, start, (next) => isName(next) || isDigit(next));
  const operator = longOperators.find((candidate) => source.startsWith(candidate, start));
  return start + (operator?.length ?? 1);
}

function skip(source: string, start: number, belongs: (code: number) => boolean): number {
  let end = start + 1;
  while (end < source.length && belongs(source.charCodeAt(end))) end += 1;
  return end;
}

function lineEnd(source: string, start: number): number {
  const end = source.indexOf('\n', start);
  return end === -1 ? source.length : end;
}

/** A literal that is not closed ends with its line (or, with three quotes, with the text). */
function stringEnd(source: string, start: number, quote: number): number {
  const triple = source.charCodeAt(start + 1) === quote && source.charCodeAt(start + 2) === quote;
  for (let i = start + (triple ? 3 : 1); i < source.length; i++) {
    const code = source.charCodeAt(i);
    if (code === backslash) i += 1;
    else if (!triple && code === newline) return i;
    else if (code === quote && !triple) return i + 1;
    else if (code === quote && source.charCodeAt(i + 1) === quote && source.charCodeAt(i + 2) === quote) return i + 3;
  }
  return source.length;
}
