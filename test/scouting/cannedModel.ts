/** @file A model for the repository of headers: it knows where the fault is, and says the same whenever it is asked the same. */
import type { AskedRequest, Behaviour } from './modelServer.ts';

const parseLine = { file: 'headers/parser.py', entity: 'HeaderParser.parse_line' };

export const scopeAnswer = {
  targets: [
    { ...parseLine, reason: 'splits the line' },
    { file: 'headers/parser.py', entity: 'HeaderParser.feed', reason: 'feeds lines' },
    { file: 'headers/server.py', entity: 'read_request', reason: 'reads requests' },
    { file: 'headers/format.py', entity: 'format_headers', reason: 'writes headers' },
    { file: 'headers/ghost.py', entity: 'Ghost', reason: 'does not exist' },
  ],
};

const relevances: Readonly<Record<string, number>> = {
  'headers/parser.py:HeaderParser.parse_line': 0.95,
  'headers/parser.py:HeaderParser.feed': 0.5,
  'headers/server.py:read_request': 0.3,
  'headers/format.py:format_headers': 0.1,
};

export function analysisOf(target: string): object {
  return {
    role: `\`${target.split(':')[1]}\` handles header lines. It calls \`ghost_function()\`.`,
    locations: [{ ...parseLine, reason: 'split at the first colon only', confidence: 0.9 }],
    insights: ['values may contain colons'],
    alternatives: ['the caller could pass the value alone'],
    relevance: relevances[target] ?? 0,
  };
}

export const synthesisAnswer = {
  title: 'HeaderParser.parse_line raises ValueError for values with a colon',
  description: [
    { text: '`HeaderParser.parse_line` splits a line at every colon, so `Host: example.org:8080` has three parts.', source: 'T1' },
    { text: 'It was seen with version 1.4.2.', source: 'issue' },
  ],
  reproduction: [{ text: 'Parse a header whose value has a colon.', code: 'HeaderParser().parse_line("Host: example.org:8080")' }],
  expected: ['The value is kept whole.'],
  files: [{ file: 'headers/parser.py', entity: '', reason: 'holds the parser' }],
  entities: [{ ...parseLine, reason: 'splits the line' }],
  locations: [{ ...parseLine, reason: 'the split has no limit', confidence: 0.95 }],
  hints: [{ text: 'Split once.', code: 'name, value = line.split(":", 1)', source: 'T1' }],
};

export function cannedAnswer({ stage, target = '' }: Pick<AskedRequest, 'stage' | 'target'>): Behaviour {
  if (stage === 'scope') return { answer: scopeAnswer };
  return { answer: stage === 'analyze' ? analysisOf(target) : synthesisAnswer };
}
