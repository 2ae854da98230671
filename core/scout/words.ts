/** @file Words of a source text with the role they have there: code, a call, a string or a comment. One pass, no parser. */

/** How comments and strings look: `#` and triple quotes, or `//` and backticks; Rust's `'` begins lifetimes, not strings. */
export type Lexicon = 'python' | 'c' | 'rust';

export type WordRole = 'code' | 'call' | 'string' | 'comment';

export type WordVisitor = (word: string, role: WordRole, offset: number) => void;

const identifier = '[\\p{L}_$][\\p{L}\\p{N}_$]*';
const doubleQuoted = '"(?:[^"\\\\\\n]+|\\\\[\\s\\S])*"?';
const singleQuoted = "'(?:[^'\\\\\\n]+|\\\\[\\s\\S])*'?";

/** Strings and comments that never end go to the end of line or text: what closes them is optional, so that no match is ever tried twice and the time stays linear. */
const patterns: Readonly<Record<Lexicon, string>> = {
  python: `("""(?:[^"\\\\]+|\\\\[\\s\\S]|"(?!""))*(?:""")?|'''(?:[^'\\\\]+|\\\\[\\s\\S]|'(?!''))*(?:''')?|${doubleQuoted}|${singleQuoted})|(#[^\\n]*)|(${identifier})(\\s*\\()?`,
  c: `(\`(?:[^\`\\\\]+|\\\\[\\s\\S])*\`?|${doubleQuoted}|${singleQuoted})|(//[^\\n]*|/\\*(?:[^*]+|\\*(?!/))*(?:\\*/)?)|(${identifier})(\\s*\\()?`,
  rust: `(${doubleQuoted})|(//[^\\n]*|/\\*(?:[^*]+|\\*(?!/))*(?:\\*/)?)|(${identifier})(\\s*\\()?`,
};

const wordInText = /[\p{L}_$][\p{L}\p{N}_$]*/gu;

export function visitWords(text: string, lexicon: Lexicon, visit: WordVisitor): void {
  const pattern = new RegExp(patterns[lexicon], 'gu');
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [, quoted, comment, word, opening] = match;
    if (word !== undefined) visit(word, opening === undefined ? 'code' : 'call', match.index);
    else visitProse(quoted ?? comment ?? '', quoted === undefined ? 'comment' : 'string', match.index, visit);
  }
}

function visitProse(text: string, role: WordRole, offset: number, visit: WordVisitor): void {
  for (const match of text.matchAll(wordInText)) visit(match[0], role, offset + match.index);
}
