/** @file Names that a model wrote, checked against the index: what resolves becomes a place, what does not is removed and counted. */
import type { Place } from './findings.ts';
import type { Entity, RepositoryIndex } from './types.ts';

/** Imports are no place to change; a name that means one is not resolved by it. */
export function resolveEntity(index: RepositoryIndex, file: string, entity: string): Entity | undefined {
  const path = normalizedPath(file);
  const name = entity.trim().replace(/\(\)$/, '');
  const known = path !== '' && index.files.includes(path);
  if (path !== '' && !known) return undefined;
  if (name === '' || name === path) return known ? index.entity(path) : undefined;
  const exact = index.entity(name) ?? (known ? index.entity(`${path}:${name}`) : undefined);
  const candidates = exact ? [exact] : index.resolve(name, known ? path : undefined);
  return candidates.find((candidate) => candidate.kind !== 'import' && (!known || candidate.file === path));
}

/** Models prefix paths with `./` or `a/`, and append lines. */
function normalizedPath(file: string): string {
  return file
    .trim()
    .replace(/^\.\//, '')
    .replace(/:\d+(-\d+)?$/, '');
}

export function placeOf({ kind, file, span, id }: Entity): Place {
  return kind === 'file' ? { file, span: { startLine: 1, endLine: 1 } } : { file, span, entity: id };
}

/** Words in backticks that look like code: paths, calls, dotted, snake and camel names. Plain words in backticks say nothing checkable. */
export function codeNamesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, inner = '']) => inner.trim())
    .filter((name) => /^[\w$./:-]+(\(\))?$/.test(name) && /[._/]|[a-z][A-Z]|\(\)$/.test(name));
}

export interface KnownNames {
  /** Whether the index has it, as a file or as a definition. */
  readonly inIndex: (name: string) => boolean;
  /** Texts that the model was shown: a local variable of a source is a name too. */
  readonly shown: string;
}

export function isKnown(name: string, { inIndex, shown }: KnownNames): boolean {
  const bare = name.replace(/\(\)$/, '');
  return containsWord(shown, bare) || inIndex(bare);
}

function containsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/\w/.test(text[at - 1] ?? '') && !/\w/.test(text[at + word.length] ?? '')) return true;
  }
  return false;
}

/** The text without the sentences that name what is not there, and those names. */
export function withoutUnknown(text: string, known: KnownNames): { readonly text: string; readonly unresolved: readonly string[] } {
  const unresolved = codeNamesIn(text).filter((name) => !isKnown(name, known));
  if (unresolved.length === 0) return { text, unresolved };
  const kept = sentencesOf(text).filter((sentence) => !unresolved.some((name) => sentence.includes(`\`${name}\``) || sentence.includes(name)));
  return { text: kept.join('').trim(), unresolved };
}

/** With their trailing space, so that joining them gives the text again. A full stop inside backticks ends nothing. */
export function sentencesOf(text: string): readonly string[] {
  const sentences: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '`') at = endOfCode(text, at);
    if (!endsSentence(text, at)) continue;
    while (/\s/.test(text[at + 1] ?? '')) at++;
    sentences.push(text.slice(start, at + 1));
    start = at + 1;
  }
  return start < text.length ? [...sentences, text.slice(start)] : sentences;
}

/** The closing backtick on the same line, or the opening one where none closes it. */
function endOfCode(text: string, open: number): number {
  const close = text.indexOf('`', open + 1);
  return close < 0 || text.slice(open, close).includes('\n') ? open : close;
}

function endsSentence(text: string, at: number): boolean {
  return text[at] === '\n' || (/[.!?]/.test(text[at] ?? '') && /^\s?$/.test(text[at + 1] ?? ''));
}

/** Whether the index has it. A path must be the whole of one or its end. */
export function namesOf(index: RepositoryIndex): (name: string) => boolean {
  return (name) => index.resolve(name).length > 0 || index.entity(name) !== undefined || index.files.some((file) => file === name || file.endsWith(`/${name}`));
}
