/** @file The scoping prompt: the issue and what static scoping found, and the wish for five to ten places to look at. */
import { mostTargets } from '../findings.ts';
import type { StaticScope } from '../types.ts';
import { clipped, dataRule, fenced } from './fence.ts';
import type { Prompt } from './prompt.ts';

const issueTokens = 6000;
const candidateTokens = 11_000;

export function scopePrompt(issue: string, candidates: StaticScope): Prompt {
  const data = fenced([
    { name: 'issue', text: clipped(issue, issueTokens) },
    { name: 'candidates', text: clipped(candidateLines(candidates), candidateTokens) },
  ]);
  return { system: `${role}\n\n${dataRule}`, user: `${data}\n\n${request}` };
}

const role = `You decide where to look in a repository before anybody works on an issue. You see the issue and candidates that a lexical search ranked: each with its
file, its entity, its declaration and why it was found. The search knows words, not meaning: the right place may stand far down, or be missing, or be beside one that
is listed.`;

const request = `Choose the 5 to 10 places (never more than ${mostTargets}) whose source should be read to understand and resolve the issue: where the behaviour comes from, where it
would have to change, and what a change there must respect. Prefer the specific function, method or class to its file. Leave out tests unless the issue is about them.

Answer with one JSON object and nothing else:
{"targets": [{"file": "path as listed", "entity": "name inside the file as listed, or empty for the whole file", "reason": "one sentence: what you expect to learn there"}]}
Best first. Name only files and entities that the candidates or the issue name.`;

/** Ranked lines, files with what is in them first seen: `12. src/app.py · Server.start (method, lines 10-31): def start(self) — named in the issue`. */
function candidateLines({ targets, files }: StaticScope): string {
  const places = targets.map(({ rank, file, entity, kind, span, signature, reason }) => {
    const name = kind === 'file' ? '(whole file)' : entity.slice(file.length + 1);
    return `${rank}. ${file} · ${name} (${kind}, lines ${span.startLine}-${span.endLine}): ${signature} — ${reason}`;
  });
  const ranked = files.map(({ rank, file, reason }) => `${rank}. ${file} — ${reason}`);
  return ['Entities:', ...places, '', 'Files:', ...ranked].join('\n');
}
