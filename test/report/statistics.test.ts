/** @file Intervals, numbers and the verdict, against values from elsewhere. */
import { describe, expect, test } from 'vitest';
import type { EvaluationLine } from '../../activities/records/lines.ts';
import { differenceInterval, figure, scientific, signed, wilson } from '../../activities/records/report/figures.ts';
import { pointsOf, smoothed } from '../../activities/records/report/series.ts';
import { comparisons, verdict } from '../../activities/records/report/verdict.ts';

describe('intervals', () => {
  test('Wilson, as in Newcombe 1998, table I', () => {
    expect(wilson(81, 263).low).toBeCloseTo(0.2553, 4);
    expect(wilson(81, 263).high).toBeCloseTo(0.3662, 4);
    expect(wilson(0, 20)).toEqual({ low: 0, high: expect.closeTo(0.1611, 4) });
  });

  test('a difference, as in Newcombe 1998, table II, method 10', () => {
    const { low, high } = differenceInterval({ hits: 48, count: 80 }, { hits: 56, count: 70 });
    expect([low, high]).toEqual([expect.closeTo(0.0524, 4), expect.closeTo(0.3339, 4)]);
  });
});

test('numbers as people read them', () => {
  expect([0.5, 1.234, 12.34, 1234.5, 0, -0.25, 2e-6, Number.NaN].map(figure)).toEqual(['0.500', '1.23', '12.3', '1\u202f235', '0', '−0.250', '2.0e−6', '–']);
  expect([0.5, -0.1, 0.001].map(signed)).toEqual(['+0.50', '−0.10', '0']);
  expect(scientific(0.00123)).toBe('1.2e−3');
});

describe('verdict', () => {
  const evaluation = (step: number, solved: number, mode: 'greedy' | 'sampled' = 'sampled'): EvaluationLine => {
    const [solvedShare, standardError] = [solved / 200, 0.03];
    return { step, time: '', policyVersion: step, mode, tasks: 200, samples: 200, solved, counted: 200, solvedShare, standardError, meanTurns: 3 };
  };
  const said = (...lines: EvaluationLine[]) => verdict(comparisons(lines));

  test('follows the interval of the sampled difference, not its sign', () => {
    expect(said(evaluation(0, 94), evaluation(60, 180))).toBe('It worked: from 47.0 % to 90.0 % of held-out tasks solved (sampled).');
    expect(said(evaluation(0, 94), evaluation(60, 100))).toMatch(/^No clear change: from 47\.0 % to 50\.0 %/);
    expect(said(evaluation(0, 94), evaluation(60, 40))).toMatch(/^It got worse/);
    expect(said(evaluation(0, 10, 'greedy'), evaluation(0, 94), evaluation(60, 190, 'greedy'), evaluation(60, 100))).toMatch(/^No clear change/);
  });

  test('compares the first with the last evaluation, and says what is missing', () => {
    expect(comparisons([evaluation(0, 94), evaluation(30, 10), evaluation(60, 180)])[0]?.difference?.value).toBeCloseTo(0.43, 12);
    expect(said(evaluation(0, 94))).toContain('no evaluation after it yet');
    expect(said()).toBe('Not evaluated yet.');
  });
});

describe('curves', () => {
  const line = (step: number, value: number | null) =>
    ({ schema_version: 1, run_id: 'r', kind: 'step', step, policy_version: step, time: '', kl: value }) as const;

  test('steps without a value are left out; a long run is averaged over stretches', () => {
    expect(pointsOf([line(1, 2), line(2, null), line(3, 4)], 'kl')).toEqual([
      { fromStep: 1, toStep: 1, value: 2 },
      { fromStep: 3, toStep: 3, value: 4 },
    ]);
    const long = pointsOf(
      Array.from({ length: 400 }, (_, i) => line(i + 1, i)),
      'kl',
    );
    expect(long).toHaveLength(134);
    expect(long[0]).toEqual({ fromStep: 1, toStep: 3, value: 1 });
    expect(long.at(-1)).toEqual({ fromStep: 400, toStep: 400, value: 399 });
  });

  test('the trend of a straight line is the line', () => {
    const points = Array.from({ length: 60 }, (_, i) => ({ fromStep: i, toStep: i, value: i }));
    expect(smoothed(points).slice(3, -3)).toEqual(points.slice(3, -3).map(({ value }) => value));
  });
});
