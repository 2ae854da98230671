/** @file The decisions of the workflows that need no server: parts by size, tallies, allowed hyperparameters, tables. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TrajectorySummary } from '../../core/rollout/types.ts';
import type { CreditConfig } from '../../core/run/config.ts';
import { evaluationResult, tally } from '../../core/run/evaluation.ts';
import { hyperparameterProblem, hyperparameterRanges, hyperparametersOf, withHyperparameters } from '../../core/run/hyperparameters.ts';
import { figure, table } from '../../workflows/details.ts';
import { partsBySize } from '../../workflows/grading.ts';
import { smallRun } from './runs.ts';
import { policyRef } from './scene.ts';

test('parts keep the order, lose nothing, and stay within the limit unless one item alone is above it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 40 }), fc.integer({ min: 10, max: 200 }), (items, limit) => {
      const parts = partsBySize(items, limit);
      expect(parts.flat()).toEqual(items);
      for (const part of parts) {
        expect(part.length).toBeGreaterThan(0);
        if (part.length > 1) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(limit + 1);
      }
    }),
  );
});

test('parts are as few as the order allows: a part and the item after it never fit together', () => {
  const parts = partsBySize(['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee'], 14);
  expect(parts).toEqual([['aaaa', 'bbbb'], ['cccc', 'dddd'], ['eeee']]);
});

test('an evaluation leaves errors out of its share and says how sure it is', () => {
  const summary = (outcome: TrajectorySummary['outcome'], outcomeReward: number | null, turns: number): TrajectorySummary => ({
    sibling: 0,
    taskId: 'chain/heldOut/0',
    outcome,
    stopReason: 'submitted',
    outcomeReward,
    turns,
    sampledTokens: 8,
    formatViolations: 0,
  });
  const first = tally({ samples: 0, solved: 0, counted: 0, turns: 0 }, [summary('solved', 1, 2), summary('failed', 0, 4)]);
  const total = tally(first, [summary('solved', 1, 3), summary('solved', 1, 3), summary('infra_error', null, 9)]);
  expect(total).toEqual({ samples: 5, solved: 3, counted: 4, turns: 12 });
  expect(evaluationResult({ policy: policyRef(7), mode: 'sampled', tasks: 5 }, total)).toEqual({
    policyVersion: 7,
    mode: 'sampled',
    tasks: 5,
    samples: 5,
    solved: 3,
    counted: 4,
    solvedShare: 0.75,
    standardError: Math.sqrt((0.75 * 0.25) / 4),
    meanTurns: 3,
  });
  expect(() => evaluationResult({ policy: policyRef(7), mode: 'sampled', tasks: 5 }, { samples: 1, solved: 0, counted: 0, turns: 0 })).toThrow(
    /at least one counted/,
  );
});

test('hyperparameters: the ranges hold at both ends, and what is set reaches the places where it is read', () => {
  const problemOf = (change: Readonly<Record<string, unknown>>) => hyperparameterProblem(change, smallRun.credit);
  for (const [name, [low, high]] of Object.entries(hyperparameterRanges)) {
    expect(problemOf({ [name]: low })).toBeUndefined();
    expect(problemOf({ [name]: high })).toBeUndefined();
    expect(problemOf({ [name]: low - 1e-9 })).toContain(`${name}: expected a number from ${low} to ${high}`);
    expect(problemOf({ [name]: Number.NaN })).toContain(name);
  }
  expect(problemOf({ toString: 1 })).toContain("unknown hyperparameter 'toString'");
  const values = { lr: 1, temperature: 2, clipLow: 0.3, clipHigh: 4, klCoefficient: 5, entropyCoefficient: 6, gamma: 0.7, alpha: 8, formatPenalty: 9 };
  expect(hyperparametersOf(withHyperparameters(smallRun, values))).toEqual(values);
});

test('a hyperparameter without effect is refused with the reason', () => {
  const problemOf = (name: string, credit: Partial<CreditConfig>) => hyperparameterProblem({ [name]: 0.5 }, { ...smallRun.credit, ...credit });
  for (const name of ['gamma', 'alpha']) {
    expect(problemOf(name, { method: 'gtpo' })).toBeUndefined();
    expect(problemOf(name, { method: 'grpo' })).toBe(
      `setHyperparameters: ${name}: has no effect, because credit.method is grpo, which has neither discount nor shaping`,
    );
  }
  expect(problemOf('formatPenalty', { method: 'grpo' })).toBeUndefined();
});

test('tables escape what would break them', () => {
  expect(
    table(
      ['a', 'b'],
      [
        ['x|y', undefined],
        ['two\nlines', 3],
      ],
    ),
  ).toBe('| a | b |\n| --- | --- |\n| x\\|y | – |\n| two lines | 3 |');
  expect([figure(0.5), figure(3), figure(0.00012), figure(null)]).toEqual(['0.500', 3, '1.2e-4', undefined]);
});
