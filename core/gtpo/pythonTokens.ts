/**
 * @file Python source as the tokens that carry meaning: names, numbers, string literals and operators.
 * Comments and layout say nothing about what a program does and are left out. Never fails: a policy writes anything. Linear in the text.
 */

const isName = (code: number) => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
const isDigit = (code: number) => code >= 48 && code <= 57;
const isSpace = (code: number) => code <= 32 || code === 92;
const [newline, hash, doubleQuote, singleQuote, dot, backslash] = [10, 35, 34, 39, 46, 92];

const longOperators: ReadonlySet<string> = new Set([
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
]);
/** Second characters of long operators: `*./<=>`. Most operators are not followed by one and need no look-up. */
const mayContinue = (code: number) => code === 61 || code === 42 || code === 47 || code === 62 || code === 60 || code === 46;

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
  if (isName(code)) return nameEnd(source, start);
  if (code === doubleQuote || code === singleQuote) return stringEnd(source, start, code);
  const next = source.charCodeAt(start + 1);
  if (isDigit(code) || (code === dot && isDigit(next))) return numberEnd(source, start);
  return mayContinue(next) ? operatorEnd(source, start) : start + 1;
}

function nameEnd(source: string, start: number): number {
  let end = start + 1;
  for (let code = source.charCodeAt(end); isName(code) || isDigit(code); code = source.charCodeAt(end)) end += 1;
  return end;
}

function numberEnd(source: string, start: number): number {
  let end = start + 1;
  for (let code = source.charCodeAt(end); isDigit(code) || isName(code) || code === dot; code = source.charCodeAt(end)) end += 1;
  return end;
}

/** The longest that there is, so that `**=` is one token. */
function operatorEnd(source: string, start: number): number {
  if (longOperators.has(source.slice(start, start + 3))) return start + 3;
  return longOperators.has(source.slice(start, start + 2)) ? start + 2 : start + 1;
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
