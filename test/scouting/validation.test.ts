/** @file Names of models against the index: what resolves becomes a place, what does not goes, with the sentence that rests on it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../core/scout/findings.ts';
import { codeNamesIn, resolveEntity, sentencesOf, withoutUnknown } from '../../core/scout/naming.ts';
import { chosenTargets, findingOf, synthesisOf } from '../../core/scout/validation.ts';
import { sampleIndex } from './sampleIndex.ts';

const place = { file: 'src/parser.py', span: { startLine: 10, endLine: 20 }, entity: 'src/parser.py:HeaderParser.parse_line' };

describe('resolveEntity', () => {
  test.each([
    ['src/parser.py', 'HeaderParser.parse_line', 'src/parser.py:HeaderParser.parse_line'],
    ['./src/parser.py', 'parse_line()', 'src/parser.py:HeaderParser.parse_line'],
    ['src/parser.py:12', 'HeaderParser', 'src/parser.py:HeaderParser'],
    ['', 'start_server', 'src/server.py:start_server'],
    ['src/server.py', '', 'src/server.py'],
    ['src/server.py', 'src/server.py:start_server', 'src/server.py:start_server'],
  ])('%s · %s', (file, entity, id) => {
    expect(resolveEntity(sampleIndex, file, entity)?.id).toBe(id);
  });

  test.each([
    ['src/missing.py', 'start_server'],
    ['src/parser.py', 'start_server'],
    ['src/parser.py', 'HeaderParser.parse_lines'],
    ['src/parser.py', 'import re'],
    ['../src/parser.py', ''],
    ['', ''],
  ])('%s · %s is not there', (file, entity) => {
    expect(resolveEntity(sampleIndex, file, entity)).toBeUndefined();
  });
});

test('targets keep the order of the model, come once, and are at most fifteen', () => {
  const parse = { file: 'src/parser.py', entity: 'parse_line', reason: 'reads a line' };
  const answer = {
    targets: [
      parse,
      { file: 'src/ghost.py', entity: 'Ghost', reason: '' },
      { ...parse, entity: 'HeaderParser.parse_line' },
      { file: 'src/server.py', entity: '', reason: 'starts' },
    ],
  };
  const { targets, unresolved } = chosenTargets(answer, sampleIndex);
  expect(targets.map(({ entity, reason }) => [entity.id, reason])).toEqual([
    ['src/parser.py:HeaderParser.parse_line', 'reads a line'],
    ['src/server.py', 'starts'],
  ]);
  expect(unresolved).toEqual(['src/ghost.py:Ghost']);
});

test('a finding loses the sentences and places that rest on unknown names, and says which', () => {
  const answer = {
    role: 'Parses one line. It calls `HeaderParser.fold_line` first. The local `raw_value` is cut.',
    locations: [
      { file: 'src/parser.py', entity: 'HeaderParser', reason: 'holds the rule', confidence: 0.4 },
      { file: 'src/parser.py', entity: 'parse_line', reason: 'splits at the wrong colon', confidence: 0.9 },
      { file: 'src/folding.py', entity: 'fold', reason: 'folds', confidence: 1 },
    ],
    insights: ['`start_server` never calls it', 'see `src/folding.py`'],
    alternatives: [],
    relevance: 0.8,
  };
  const finding = findingOf('T1', place, answer, sampleIndex, 'raw_value = line.split(":")');
  expect(finding.role).toBe('Parses one line. The local `raw_value` is cut.');
  expect(finding.locations.map(({ entity, confidence }) => [entity, confidence])).toEqual([
    ['src/parser.py:HeaderParser.parse_line', 0.9],
    ['src/parser.py:HeaderParser', 0.4],
  ]);
  expect(finding.insights).toEqual(['`start_server` never calls it']);
  expect([...finding.unresolved].sort()).toEqual(['HeaderParser.fold_line', 'src/folding.py', 'src/folding.py:fold']);
});

test('a synthesis has places of the index, sources of the findings, and no entity that is a whole file', () => {
  const finding: Finding = { target: 'T2', place, role: 'r', locations: [], insights: [], alternatives: [], relevance: 0.9, unresolved: [] };
  const answer = {
    title: 'Header values with a colon are cut',
    description: [
      { text: 'A value is cut at its second colon.', source: 'T2' },
      { text: 'Seen with version 2.1.', source: 'issue' },
    ],
    reproduction: [{ text: 'Parse a header', code: 'parse("a: b:c")' }],
    expected: ['The whole value is kept.'],
    files: [{ file: 'src/parser.py', entity: 'parse_line', reason: 'the parser' }],
    entities: [
      { file: 'src/parser.py', entity: '', reason: 'a file' },
      { file: 'src/parser.py', entity: 'HeaderParser', reason: 'the class' },
    ],
    locations: [{ file: 'src/parser.py', entity: 'parse_line', reason: 'splits', confidence: 0.9 }],
    hints: [
      { text: 'Split once.', code: 'line.split(":", 1)', source: 'T9' },
      { text: 'Call `Nowhere.to_be_found`.', code: '', source: 'T2' },
    ],
  };
  const synthesis = synthesisOf(answer, [finding], sampleIndex, 'Seen with version 2.1');
  expect(synthesis.description.map((one) => one.place?.entity ?? null)).toEqual([place.entity, null]);
  expect(synthesis.files).toEqual([{ file: 'src/parser.py', span: { startLine: 1, endLine: 1 }, reason: 'the parser' }]);
  expect(synthesis.entities.map(({ entity }) => entity)).toEqual(['src/parser.py:HeaderParser']);
  expect(synthesis.hints).toEqual([{ text: 'Split once.', code: 'line.split(":", 1)', place }]);
  expect(synthesis.unresolved).toEqual(['Nowhere.to_be_found']);
});

test('joined sentences are the text again, and code ends none', () => {
  expect(sentencesOf('See `a.b`. Then `x. y` goes. End')).toEqual(['See `a.b`. ', 'Then `x. y` goes. ', 'End']);
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '.', '!', ' ', '`', '\n', 'é') }), (text) => sentencesOf(text).join('') === text));
});

test('what remains never names what is unknown, and known text is untouched', () => {
  const known = { inIndex: (name: string) => name.startsWith('known'), shown: 'shown_name' };
  const name = fc.constantFrom('known_a', 'known_b', 'ghost_a', 'shown_name', 'ghost.b');
  const sentence = fc.tuple(fc.constantFrom('It calls', 'Then', 'See'), name).map(([start, word]) => `${start} \`${word}\`.`);
  fc.assert(
    fc.property(fc.array(sentence, { maxLength: 8 }), (sentences) => {
      const text = sentences.join(' ');
      const checked = withoutUnknown(text, known);
      expect(codeNamesIn(checked.text).filter((word) => word.startsWith('ghost'))).toEqual([]);
      expect(codeNamesIn(checked.text)).toEqual(codeNamesIn(text).filter((word) => !word.startsWith('ghost')));
      if (!text.includes('ghost')) expect(checked.text).toBe(text);
    }),
  );
});
