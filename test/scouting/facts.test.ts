/** @file Facts of a statement, and that a report can lose none. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noUsage } from '../../core/scout/budget.ts';
import { factsOf, lostFacts } from '../../core/scout/facts.ts';
import { makeReport } from '../../core/scout/makeReport.ts';
import type { ReportParts } from '../../core/scout/report.ts';
import type { ScoutTarget } from '../../core/scout/run.ts';
import { sampleRepository } from './sampleIndex.ts';

const issue = `Header values are cut

Since v2.1.3 (commit 9fceb02d0ae5) \`parse_line\` raises ValueError: too many values in src/parser.py, see #412 and
https://example.org/a?b=1. It worked in "strict mode".

\`\`\`python
parse("a: b:c")
\`\`\`
I expected the whole value. Call HeaderParser.feed() to see it.
`;

test('facts are found by their form', () => {
  expect(factsOf(issue)).toEqual([
    'v2.1.3',
    '9fceb02d0ae5',
    'parse_line',
    'ValueError: too many values in src/parser.py, see #412 and',
    'https://example.org/a?b=1.',
    'strict mode',
    'parse("a: b:c")',
    'HeaderParser.feed()',
  ]);
});

test('what a text does not repeat is lost, whatever its line breaks', () => {
  expect(lostFacts(issue, 'v2.1.3 9fceb02d0ae5 strict\n  mode HeaderParser.feed() https://example.org/a?b=1.')).toEqual([
    'parse_line',
    'ValueError: too many values in src/parser.py, see #412 and',
    'parse("a: b:c")',
  ]);
});

const target: ScoutTarget = {
  id: 'T1',
  file: 'src/parser.py',
  entity: 'src/parser.py:HeaderParser.parse_line',
  kind: 'method',
  span: { startLine: 10, endLine: 20 },
  signature: 'def parse_line(self, line)',
  reason: 'named in the issue',
  state: 'kept',
};

function parts(original: string): ReportParts {
  const { commit, contentHash, summary } = sampleRepository;
  const usage = { scope: noUsage, analyze: noUsage, synthesize: noUsage };
  const limits = { tokens: 1, dollars: null, targets: 15, concurrency: 1, relevance: 0.5 };
  return { model: null, commit, contentHash, summary, original, targets: [target], findings: new Map(), unresolved: [], notes: [], usage, limits };
}

const headings = (markdown: string) => {
  let fence = '';
  return markdown.split('\n').filter((line) => {
    const open = /^ {0,3}(`{3,})/.exec(line)?.[1] ?? '';
    if (fence === '' && open !== '') fence = open;
    else if (fence !== '' && open.length >= fence.length && line.trim() === open) fence = '';
    else return fence === '' && /^ {0,3}#{1,6} /.test(line);
    return false;
  });
};

const sections = [
  '## Issue Description',
  '## Reproduction Steps',
  '## Expected Behavior',
  '## Exploration Hints',
  '### Files to Examine',
  '### Key Classes/Functions',
  '## Fix Hints',
  '### High Confidence Locations',
  '### Implementation Hints',
];

test('a static report has exactly the sections, the original word for word, and a place for every claim', () => {
  const { markdown, report } = makeReport(parts(issue));
  expect(headings(markdown)).toEqual(['# Header values are cut', ...sections]);
  expect(markdown).toContain(issue);
  expect(markdown).toContain('- `HeaderParser.parse_line` in `src/parser.py` (`src/parser.py:10@0123456789ab`): named in the issue');
  expect(markdown).toContain('I expected the whole value.');
  expect(report.facts).toMatchObject({ stated: 8, lost: [] });
  expect(report.complete).toBe(true);
});

test('an error that says "expected" is no expectation', () => {
  const { report } = makeReport(parts('x\n\nValueError: too many values (expected 2)\n\nIt should be kept whole.'));
  expect(report.sections.expected).toEqual(['It should be kept whole.']);
});

test('no statement can lose a fact or a byte, or add a section', () => {
  const piece = fc.constantFrom(
    '# Title',
    '## Fix Hints',
    '```',
    '````',
    '~~~',
    'v1.2',
    '`a_b`',
    'text.',
    'Error: x',
    '\r',
    '>>> f(1)',
    '<h1>',
    '---',
    '1. one',
    '',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 12 }), (lines) => {
      const original = `x ${lines.join('\n')}`;
      const { markdown, report } = makeReport(parts(original));
      expect(markdown.includes(original)).toBe(true);
      expect(report.facts.lost).toEqual([]);
      expect(headings(markdown).slice(1)).toEqual(sections);
      expect(makeReport(parts(original)).markdown).toBe(markdown);
    }),
  );
});
