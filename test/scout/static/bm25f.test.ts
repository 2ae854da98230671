/** @file BM25F against the formula written out for one small index, and what must hold for every ranking. */
import { expect, test } from 'vitest';
import { entityScores, fileScores, inverseFrequency, statisticsOf } from '../../../core/scout/bm25f.ts';
import { type FileRecord, type RecordEntity, textFields } from '../../../core/scout/fileRecord.ts';
import { FileIndex } from '../../../core/scout/repositoryIndex.ts';
import { matchesOf } from '../../../core/scout/termMatches.ts';

const entity: RecordEntity = {
  kind: 'file',
  name: '',
  qualifiedName: '',
  parent: -1,
  startLine: 1,
  endLine: 9,
  signature: '',
  docstring: '',
  bases: [],
  calls: [],
};
const inFile: RecordEntity = { ...entity, kind: 'function', name: 'f', qualifiedName: 'f', parent: 0 };
const [name, code] = [textFields.indexOf('name'), textFields.indexOf('code')];

function record(terms: readonly string[], postings: readonly number[]): FileRecord {
  return { language: 'python', broken: false, lines: 9, entities: [entity, inFile], imports: [], terms, postings: Uint16Array.from(postings) };
}

const repository = { directory: '/r', commit: null, contentHash: '', summary: {} as never };
const index = new FileIndex(repository, [
  { path: 'a.py', record: record(['cart', 'price'], [1, 0, name, 1, 1, 1, code, 3]) },
  { path: 'b.py', record: record(['price', 'other'], [0, 0, code, 1, 1, 1, code, 4]) },
]);

const field = { weights: [4, 0, 0, 1, 0, 0], lengthNorms: [0, 0, 0, 0.5, 0, 0], saturation: 2 };

test('files: weighted counts over normalised lengths saturate together', () => {
  const matches = matchesOf(index, ['cart', 'price']);
  const scores = fileScores(matches, statisticsOf(matches, 2), [1, 2], field);
  // Words of code: 3 in a.py and 5 in b.py, 4 on average.
  const idf = (holding: number) => inverseFrequency(2, holding);
  const priceInA = 3 / (0.5 + (0.5 * 3) / 4);
  const priceInB = 1 / (0.5 + (0.5 * 5) / 4);
  expect(scores[0]).toBeCloseTo((idf(1) * 4) / (2 + 4) + (2 * idf(2) * priceInA) / (2 + priceInA), 10);
  expect(scores[1]).toBeCloseTo((2 * idf(2) * priceInB) / (2 + priceInB), 10);
});

test('entities: the same over their own words', () => {
  const matches = matchesOf(index, ['price']);
  const scores = entityScores(matches, statisticsOf(matches, 1), [1], field);
  // Words of code: 0, 3, 1 and 4, 2 on average; two of four entities hold the term.
  const inA = 3 / (0.5 + (0.5 * 3) / 2);
  const inB = 1 / (0.5 + (0.5 * 1) / 2);
  expect(scores[1]).toBeCloseTo((inverseFrequency(4, 2) * inA) / (2 + inA), 10);
  expect(scores[2]).toBeCloseTo((inverseFrequency(4, 2) * inB) / (2 + inB), 10);
  expect([scores[0], scores[3]]).toEqual([0, 0]);
});

test('a rare term is worth more than a common one, and none less than nothing', () => {
  expect(inverseFrequency(100, 1)).toBeGreaterThan(inverseFrequency(100, 50));
  expect(inverseFrequency(100, 100)).toBeGreaterThan(0);
});
