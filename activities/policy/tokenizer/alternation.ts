/** @file A regular expression that matches any of some literal texts, the longest first, in a syntax that JavaScript and Oniguruma share. */

export function alternation(texts: readonly string[]): string {
  return [...texts]
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('|');
}
