/** @file Credit and loss against the reference implementation (golden/gtpo_reference.py, numpy and torch). `TURNWISE_GOLDEN` names another folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assignCredit, type CreditOptions } from '../../core/gtpo/credit.ts';
import { type LossInput, policyLoss } from '../../core/gtpo/loss.ts';
import type { CreditTrajectory, GroupCredit, PerBatch, PerGroup, PerTurn } from '../../core/gtpo/types.ts';
import type { Aggregation, Normalization } from '../../core/run/config.ts';

const golden = process.env['TURNWISE_GOLDEN'] ?? join(import.meta.dirname, '../golden');

interface CreditCase {
  readonly name: string;
  readonly parameters: { gamma: number; alpha: number; formatPenalty: number; normalization: Normalization; stdFloor: number };
  readonly groups: readonly { readonly trajectories: readonly CreditTrajectory[]; readonly similarity: readonly (readonly number[])[] }[];
  readonly returns: Expected;
  readonly gtpoAdvantages: Expected;
  readonly grpoAdvantages: Expected;
}
type Expected = PerBatch<PerGroup<PerTurn<number> | null>>;

interface LossCase extends LossInput {
  readonly aggregation: Aggregation;
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly loss: number;
  readonly gradient: readonly (readonly number[])[];
  readonly clipFraction: number;
}

function casesOf<T>(file: string): readonly T[] {
  const { cases } = JSON.parse(readFileSync(join(golden, file), 'utf8')) as { cases: readonly T[] };
  if (cases.length === 0) throw new Error(`${file}: expected at least one case in ${golden}, got none`);
  return cases;
}

describe('credit assignment agrees with the reference to 1e-9', () => {
  test.each(casesOf<CreditCase>('gtpo_cases.json'))('$name', ({ parameters, groups, ...expected }) => {
    const credit = (method: CreditOptions['method'], normalization: Normalization) => {
      const inputs = groups.map(({ trajectories, similarity }) => ({
        trajectories,
        similarity: (unsolved: number, solved: number) => similarity[unsolved]?.[solved] ?? Number.NaN,
      }));
      return assignCredit(inputs, { ...parameters, method, normalization, uniformGroups: 'keep' });
    };
    const gtpo = credit('gtpo', parameters.normalization);
    expectNear(valuesOf(gtpo, 'return'), expected.returns);
    expectNear(valuesOf(gtpo, 'advantage'), expected.gtpoAdvantages);
    expectNear(valuesOf(credit('grpo', 'group'), 'advantage'), expected.grpoAdvantages);
  });
});

function valuesOf(credit: PerBatch<GroupCredit>, key: 'return' | 'advantage'): Expected {
  return credit.map(({ trajectories }) => trajectories.map((turns) => turns?.map((turn) => turn[key] ?? Number.NaN) ?? null));
}

function expectNear(actual: Expected, expected: Expected): void {
  expect(shapeOf(actual)).toEqual(shapeOf(expected));
  const [left, right] = [actual, expected].map((values) => values.flat(1).flatMap((turns) => turns ?? [])) as [number[], number[]];
  for (const [i, value] of right.entries()) expect(Math.abs((left[i] as number) - value)).toBeLessThanOrEqual(1e-9);
}

/** Number of turns of each trajectory; null where it takes no part. */
function shapeOf(values: Expected): unknown {
  return values.map((group) => group.map((turns) => turns?.length));
}

describe('the loss and its gradient agree with torch to 1e-6', () => {
  test.each(casesOf<LossCase>('loss_cases.json').map((lossCase, i) => ({ title: `${i}: ${lossCase.aggregation}`, lossCase })))('$title', ({ lossCase }) => {
    const { aggregation, clipLow, clipHigh } = lossCase;
    const result = policyLoss(lossCase, { aggregation, clipLow, clipHigh, dualClip: null, klCoefficient: 0 });
    expect(Math.abs(result.loss - lossCase.loss)).toBeLessThanOrEqual(1e-6);
    expect(Math.abs(result.clipFraction - lossCase.clipFraction)).toBeLessThanOrEqual(1e-6);
    for (const [b, row] of lossCase.gradient.entries()) {
      for (const [t, value] of row.entries()) expect(Math.abs((result.gradient[b]?.[t] ?? Number.NaN) - value)).toBeLessThanOrEqual(1e-6);
    }
  });
});
