/** @file Properties of credit assignment (GTPO: Group Turn Policy Optimization, arXiv 2511.14846; and GRPO). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignCredit, type CreditOptions } from '../../core/gtpo/credit.ts';
import { normalise } from '../../core/gtpo/normalise.ts';
import type { CreditTrajectory, GradedGroup, GroupCredit } from '../../core/gtpo/types.ts';
import type { Outcome } from '../../core/rollout/types.ts';

const defaults: CreditOptions = {
  method: 'gtpo',
  gamma: 0.9,
  alpha: 0.5,
  formatPenalty: 0.1,
  normalization: 'group',
  stdFloor: 1e-6,
  uniformGroups: 'keep',
};

const trajectory = (outcome: Outcome, turns: number, violations: readonly number[] = []): CreditTrajectory => ({
  outcome,
  hasCode: true,
  turns: Array.from({ length: turns }, (_, turn) => ({ formatViolation: violations.includes(turn) })),
});
/** Similarity that belongs to the trajectories themselves, so that it moves with them. */
const likeness = (a: CreditTrajectory, b: CreditTrajectory) => 1 / (1 + Math.abs(a.turns.length - b.turns.length));
const groupOf = (...trajectories: CreditTrajectory[]): GradedGroup => ({
  trajectories,
  similarity: (i, p) => likeness(trajectories[i] as CreditTrajectory, trajectories[p] as CreditTrajectory),
});
const only = (group: GradedGroup, options: Partial<CreditOptions> = {}) => assignCredit([group], { ...defaults, ...options })[0] as GroupCredit;
const advantages = (credit: GroupCredit) => credit.trajectories.map((turns) => turns?.map(({ advantage }) => advantage));

const counted = fc.constantFrom<Outcome>('solved', 'failed', 'truncated');
const anyTrajectory = fc
  .tuple(counted, fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([outcome, turns, hasCode]) => ({ outcome, hasCode, turns: turns.map((formatViolation) => ({ formatViolation })) }));
const anySiblings = fc.array(anyTrajectory, { minLength: 2, maxLength: 10 });
const anyOptions = fc.record({
  method: fc.constantFrom('gtpo' as const, 'grpo' as const),
  normalization: fc.constantFrom('group' as const, 'batch' as const, 'turnIndex' as const),
  gamma: fc.constantFrom(1, 0.95, 0.9, 0.8),
  alpha: fc.constantFrom(0, 0.5),
});

describe('what the method promises', () => {
  test('an all-solved group is not zero: discounting pushes against long wins', () => {
    const credit = only(groupOf(...[3, 5, 2, 1].map((turns) => trajectory('solved', turns))));
    expect(advantages(credit).map((turns) => Math.round(100 * (turns?.[0] ?? Number.NaN)) / 100)).toEqual([-0.64, -1.99, 0.16, 1.04]);
  });

  test('a failed sibling earns α times its mean similarity to the solved ones, on its last turn only', () => {
    const credit = only(groupOf(trajectory('failed', 2, [0]), trajectory('solved', 2), trajectory('solved', 4)));
    expect(credit.trajectories[0]?.map(({ reward }) => reward)).toEqual([
      { accuracy: 0, format: -0.1, shaping: 0 },
      { accuracy: 0, format: 0, shaping: 0.5 * ((1 + 1 / 3) / 2) },
    ]);
    expect(credit.trajectories[1]?.map(({ reward }) => reward)).toEqual([
      { accuracy: 0, format: 0, shaping: 0 },
      { accuracy: 1, format: 0, shaping: 0 },
    ]);
  });

  test('similarity outside [0, 1] is clamped; a trajectory without code earns none', () => {
    const trajectories = [trajectory('failed', 1), trajectory('failed', 1), { ...trajectory('failed', 1), hasCode: false }, trajectory('solved', 1)];
    const { trajectories: credited } = only({ trajectories, similarity: (i) => [1.7, -0.3, 1][i] as number });
    expect(credited.map((turns) => turns?.[0]?.reward.shaping)).toEqual([0.5, 0, 0, 0]);
  });

  test('γ 1, α 0, no format penalty and equal turn counts are GRPO', () => {
    fc.assert(
      fc.property(fc.array(counted, { minLength: 2, maxLength: 12 }), fc.integer({ min: 1, max: 8 }), (outcomes, turns) => {
        const group = groupOf(...outcomes.map((outcome) => trajectory(outcome, turns)));
        const plain = { gamma: 1, alpha: 0, formatPenalty: 0 };
        const [gtpo, grpo] = (['gtpo', 'grpo'] as const).map((method) => advantages(only(group, { ...plain, method })));
        for (const [i, turnAdvantages] of (grpo ?? []).entries()) {
          for (const [j, value] of (turnAdvantages ?? []).entries()) expect(gtpo?.[i]?.[j]).toBeCloseTo(value as number, 12);
        }
      }),
    );
  });
});

describe('invariances', () => {
  test('adding a constant to a pool changes nothing', () => {
    const value = fc.double({ min: -2, max: 2, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 40 }), fc.double({ min: -5, max: 5, noNaN: true }), (values, shift) => {
        fc.pre(Math.max(...values) - Math.min(...values) > 1e-3);
        const [plain, shifted] = [
          normalise(values, 1e-6),
          normalise(
            values.map((x) => x + shift),
            1e-6,
          ),
        ];
        for (const [i, x] of plain.entries()) expect(shifted[i]).toBeCloseTo(x, 9);
      }),
    );
  });

  test('permuting siblings permutes their advantages', () => {
    const permuted = anySiblings.chain((siblings) =>
      fc.tuple(fc.constant(siblings), fc.shuffledSubarray([...siblings.keys()], { minLength: siblings.length, maxLength: siblings.length })),
    );
    fc.assert(
      fc.property(permuted, anyOptions, ([siblings, order], options) => {
        const before = advantages(only(groupOf(...siblings), options));
        const after = advantages(only(groupOf(...order.map((i) => siblings[i] as CreditTrajectory)), options));
        for (const [position, i] of order.entries()) {
          for (const [turn, value] of (before[i] ?? []).entries()) expect(after[position]?.[turn]).toBeCloseTo(value as number, 9);
        }
      }),
    );
  });

  test('an errored or cancelled sibling gets no advantage and changes nothing for the others', () => {
    const excluded = fc.constantFrom<Outcome>('infra_error', 'model_error', 'cancelled');
    fc.assert(
      fc.property(anySiblings, excluded, fc.nat(10), fc.nat(4), anyOptions, (siblings, outcome, at, turns, options) => {
        const position = Math.min(at, siblings.length);
        const widened = (siblings as CreditTrajectory[]).toSpliced(position, 0, trajectory(outcome, turns, [0]));
        const [without, withIt] = [only(groupOf(...siblings), options), only(groupOf(...widened), options)];
        expect(withIt.trajectories[position]).toBeNull();
        expect(withIt.trajectories.toSpliced(position, 1)).toEqual(without.trajectories);
        expect(withIt.counted).toBe(siblings.length);
      }),
    );
  });
});

describe('groups without a difference in outcome', () => {
  const uniform = groupOf(trajectory('failed', 2, [0]), trajectory('truncated', 3));
  const mixed = groupOf(trajectory('failed', 2, [0]), trajectory('solved', 3));

  test('drop leaves them out, keeps their returns and marks advantages as not assigned', () => {
    const [first, second] = assignCredit([uniform, mixed], { ...defaults, uniformGroups: 'drop' });
    expect(first).toMatchObject({ dropped: true, counted: 2 });
    expect(first?.trajectories[0]).toEqual([
      { reward: { accuracy: 0, format: -0.1, shaping: 0 }, return: -0.1, advantage: null },
      { reward: { accuracy: 0, format: 0, shaping: 0 }, return: 0, advantage: null },
    ]);
    expect(second).toEqual(only(mixed, { uniformGroups: 'drop' }));
  });

  test('a dropped group does not move the pool of the batch', () => {
    const options = { ...defaults, normalization: 'batch', uniformGroups: 'drop' } as const;
    expect(assignCredit([uniform, mixed], options)[1]).toEqual(assignCredit([mixed], options)[0]);
  });

  test('keep trains on the format penalty alone', () => {
    expect(advantages(only(uniform))[0]?.[0]).toBeCloseTo(-2, 12);
  });

  test('a group in which nobody counts is dropped under either rule', () => {
    expect(only(groupOf(trajectory('infra_error', 1), trajectory('cancelled', 0)))).toEqual({ trajectories: [null, null], counted: 0, dropped: true });
  });
});
