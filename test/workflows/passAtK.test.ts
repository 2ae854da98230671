/** @file pass@k against its definition by enumeration, and intervals against known ones. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { estimateOf, pairedDifference, passAtK } from '../../core/run/passAtK.ts';

/** Share of all draws of k among n samples, of which the first c are solved, that hold a solved one. */
function byEnumeration(n: number, c: number, k: number): number {
  let [hits, all] = [0, 0];
  for (let set = 0; set < 2 ** n; set++) {
    const chosen = Array.from({ length: n }, (_, i) => i).filter((i) => set & (1 << i));
    if (chosen.length !== k) continue;
    all += 1;
    if (chosen.some((i) => i < c)) hits += 1;
  }
  return hits / all;
}

test('pass@k is the share of draws that hold a solved sample', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(), fc.nat(), (n, c, k) => {
      const [solved, drawn] = [c % (n + 1), 1 + (k % n)];
      expect(passAtK(n, solved, drawn)).toBeCloseTo(byEnumeration(n, solved, drawn), 12);
    }),
  );
  expect(() => passAtK(2, 1, 3)).toThrow(/at most 2 samples/);
});

test('of zeros and ones the interval is Wilson’s, as in Newcombe 1998, table I', () => {
  const of = (hits: number, count: number) =>
    estimateOf({ solved: Array.from({ length: count }, (_, i) => (i < hits ? 1 : 0)), counted: new Array(count).fill(1) }, 1);
  expect(of(81, 263)).toEqual({ value: 81 / 263, low: expect.closeTo(0.2553, 4), high: expect.closeTo(0.3662, 4), tasks: 263 });
  expect(of(0, 20)).toMatchObject({ low: expect.closeTo(0, 10), high: expect.closeTo(0.1611, 4) });
});

test('intervals over tasks are near the normal ones, and a task without enough samples is left out', () => {
  const solved = Array.from({ length: 400 }, (_, i) => i % 3);
  const estimate = estimateOf({ solved, counted: solved.map(() => 2) }, 0);
  const mean = solved.reduce((sum, count) => sum + count / 2, 0) / 400;
  const halfWidth = 1.96 * Math.sqrt(solved.reduce((sum, count) => sum + (count / 2 - mean) ** 2, 0) / 400 / 400);
  expect(estimate?.value).toBeCloseTo(mean, 12);
  expect(estimate?.low).toBeCloseTo(mean - halfWidth, 2);
  expect(estimate?.high).toBeCloseTo(mean + halfWidth, 2);
  expect(estimateOf({ solved: [1, 0], counted: [1, 0] }, 1)).toMatchObject({ value: 1, tasks: 1 });
  expect(estimateOf({ solved: [1], counted: [1] }, 2)).toBeUndefined();
});

test('a paired difference sees only the tasks that differ', () => {
  const counted = new Array(100).fill(4);
  const first = { solved: Array.from({ length: 100 }, (_, i) => i % 4), counted };
  const better = { solved: first.solved.map((count) => count + 1), counted };
  expect(pairedDifference(first, better, 0)).toEqual({ value: 0.25, low: 0.25, high: 0.25, tasks: 100 });
  expect(pairedDifference(first, first, 2)).toMatchObject({ value: 0, low: 0, high: 0 });
});
