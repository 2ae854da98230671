/** @file Turns a failed validation into lines that say where, what was expected, what was there, and the nearest allowed key. */
import type { z } from 'zod';

/** One line per problem: `training.stpes: unknown key; did you mean steps? (allowed: steps, …)`. */
export function describeIssues(error: z.ZodError, input: unknown, keysAt: KeysAt = () => undefined): string {
  return error.issues.flatMap((issue) => linesOf(issue, input, keysAt)).join('\n  ');
}

/** The keys that the schema allows at a path, where it is known. */
export type KeysAt = (path: readonly PropertyKey[]) => readonly string[] | undefined;

function linesOf(issue: z.core.$ZodIssue, input: unknown, keysAt: KeysAt): string[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = keysAt(issue.path) ?? [];
    return issue.keys.map((key) => `${pathText([...issue.path, key])}: unknown key${suggestion(key, allowed)}`);
  }
  if (issue.code === 'invalid_union') {
    const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0] ?? [];
    return closest.flatMap((nested) => linesOf({ ...nested, path: [...issue.path, ...nested.path] }, input, keysAt));
  }
  const got = valueAt(input, issue.path);
  return [`${pathText(issue.path)}: ${issue.message.replace(/, received \w+$/, '')}, got ${got === undefined ? 'nothing' : JSON.stringify(got)}`];
}

function suggestion(key: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return '';
  const near = nearest(key, allowed);
  return `${near ? `; did you mean ${near}?` : ''} (allowed: ${allowed.join(', ')})`;
}

/** The candidate within a third of its length in edits, if any. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }));
  const best = ranked.toSorted((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.max(2, Math.ceil(best.candidate.length / 3)) ? best.candidate : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], input);
}
