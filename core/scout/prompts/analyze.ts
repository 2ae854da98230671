/** @file The analysis prompt: one target's source with its neighbours, seen from several sides. */
import type { Neighbour, SourceExcerpt } from '../types.ts';
import { clipped, dataRule, fenced } from './fence.ts';
import type { Prompt } from './prompt.ts';

const issueTokens = 6000;
const targetTokens = 500;
const sourceTokens = 9000;
const neighbourTokens = 2500;

export interface AnalyzedTarget {
  /** `src/app.py:Server.start` */
  readonly name: string;
  readonly reason: string;
  readonly source: SourceExcerpt;
  readonly neighbours: readonly Neighbour[];
  /** Declarations of the same file. */
  readonly outline: readonly string[];
}

export function analyzePrompt(issue: string, target: AnalyzedTarget): Prompt {
  const { startLine, endLine } = target.source.span;
  const data = fenced([
    { name: 'issue', text: clipped(issue, issueTokens) },
    { name: 'target', text: clipped(`${target.name}\nWhy it was chosen: ${target.reason}`, targetTokens) },
    { name: 'source', text: clipped(`${target.source.file}, lines ${startLine}-${endLine}\n${numbered(target.source)}`, sourceTokens) },
    { name: 'neighbours', text: clipped(surroundings(target), neighbourTokens) },
  ]);
  return { system: `${role}\n\n${dataRule}`, user: `${data}\n\n${request}` };
}

const role = `You read one place of a repository for somebody who will work on an issue and has not seen the code. You judge what this place has to do with the issue,
soberly: most places that look related are not where the change belongs.`;

const request = `Answer with one JSON object and nothing else:
{
  "role": "what this target does and what it has to do with the issue, in two or three sentences",
  "locations": [{"file": "path", "entity": "name inside the file, or empty", "reason": "what would change there and why", "confidence": 0.0}],
  "insights": ["one technical fact of the source that somebody who changes it must know; at most five"],
  "alternatives": ["another cause of the issue that this source does not rule out; at most three"],
  "relevance": 0.0
}
"locations" are places where a fix could go, also outside the target if you see the name; "confidence" from 0 to 1, and 0.5 means as likely as not. An empty list is a good answer.
"relevance": 0 unrelated; 0.25 the same area, not needed; 0.5 must be understood to resolve the issue; 0.75 probably has to change; 1 certainly has to change.
Name only files and entities that you see. Put names of code in backticks.`;

function numbered({ text, span }: SourceExcerpt): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, i) => `${span.startLine + i}: ${line}`)
    .join('\n');
}

function surroundings({ neighbours, outline }: AnalyzedTarget): string {
  const lines = neighbours.map(({ edge, direction, entity }) => `${relationOf(edge, direction)} ${entity.file} · ${entity.qualifiedName}: ${entity.signature}`);
  return [...lines, '', 'Declared in the same file:', ...outline].join('\n');
}

function relationOf(edge: Neighbour['edge'], direction: Neighbour['direction']): string {
  const out = { contains: 'contains', imports: 'imports', inherits: 'inherits from', calls: 'calls' } as const;
  const into = { contains: 'is inside', imports: 'is imported by', inherits: 'is inherited by', calls: 'is called by' } as const;
  return direction === 'out' ? out[edge] : into[edge];
}
