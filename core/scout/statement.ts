/** @file What can be read off an issue's text by form alone: its first line, its code blocks, its sentences about something. */
import { sentencesOf } from './naming.ts';

const longestTitle = 120;

export function firstLineOf(statement: string): string {
  const line = statement.split('\n').find((candidate) => /\w/.test(candidate)) ?? 'Issue';
  const plain = line.replace(/^[#>*\s-]+/, '').trim();
  return plain.length <= longestTitle ? plain : `${plain.slice(0, longestTitle - 1).trimEnd()}…`;
}

/** Fenced blocks, and runs of lines that begin as an interactive session does. */
export function codeBlocksOf(statement: string): readonly string[] {
  const blocks = [...statement.matchAll(/^(`{3,}|~{3,})[^\n]*\n([\s\S]*?)^\1/gm)].map(([, , code = '']) => code.replace(/\n$/, ''));
  const sessions =
    blocks.length > 0 ? [] : [...statement.matchAll(/(?:^[ \t]*(?:>>>|\.\.\.|In \[\d+\]:|\$) [^\n]*(?:\n|$))+/gm)].map(([code]) => code.trimEnd());
  return [...blocks, ...sessions].filter((code) => code.trim() !== '').slice(0, 5);
}

/** Prose only, at most three. */
export function sentencesAbout(statement: string, words: RegExp): readonly string[] {
  const prose = statement.replace(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1[^\n]*$/gm, '');
  return (
    sentencesOf(prose)
      .map((sentence) => sentence.trim())
      // Messages of errors say "expected" too, and mean something else.
      .filter((sentence) => words.test(sentence) && !/(Error|Exception|Warning)\b/.test(sentence) && sentence.length <= 400)
      .slice(0, 3)
  );
}
