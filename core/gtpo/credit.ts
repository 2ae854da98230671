/**
 * @file Credit assignment of a step: rewards → returns → advantages, by GTPO (Group Turn Policy Optimization, arXiv 2511.14846) or GRPO.
 * Both are made from the same parts; only r, R and A differ.
 */
import type { Normalization, UniformGroups } from '../run/config.ts';
import { normalise } from './normalise.ts';
import { discountedReturns } from './returns.ts';
import { turnRewards } from './rewards.ts';
import { type GradedGroup, type GroupCredit, isCounted, type PerBatch, type PerGroup, type PerTurn, type RewardParts, totalReward } from './types.ts';

export interface CreditOptions {
  readonly method: 'gtpo' | 'grpo';
  /** Discount per turn. GRPO has none. */
  readonly gamma: number;
  /** Weight of similarity shaping. GRPO has none. */
  readonly alpha: number;
  readonly formatPenalty: number;
  /** For GRPO, whose unit is the trajectory, `turnIndex` is the same as `group`. */
  readonly normalization: Normalization;
  readonly stdFloor: number;
  readonly uniformGroups: UniformGroups;
}

export function assignCredit(groups: PerBatch<GradedGroup>, options: CreditOptions): PerBatch<GroupCredit> {
  const assign = { gtpo: gtpoCredit, grpo: grpoCredit }[options.method];
  return assign(
    groups,
    groups.map((group) => isDropped(group, options.uniformGroups)),
    options,
  );
}

/** A group in which every counted outcome is worth the same teaches nothing about the task: only format and length would be left. */
function isDropped(group: GradedGroup, uniformGroups: UniformGroups): boolean {
  const outcomes = group.trajectories.filter(isCounted).map(({ outcome }) => outcome === 'solved');
  return outcomes.length === 0 || (uniformGroups === 'drop' && outcomes.every((solved) => solved === outcomes[0]));
}

/** One value that is normalised, and the pool in which it is. */
interface Cell {
  readonly pool: string;
  readonly value: number;
}

/** A_{i,j} = (R_{i,j} − mean) / std over the turns of a pool. */
function gtpoCredit(groups: PerBatch<GradedGroup>, dropped: PerBatch<boolean>, options: CreditOptions): PerBatch<GroupCredit> {
  const rewards = groups.map((group) => turnRewards(group, options));
  const returns = rewards.map((group) => group.map((parts) => parts && discountedReturns(parts.map(totalReward), options.gamma)));
  const cells = kept(returns, dropped).flatMap(({ group, siblings }) =>
    siblings.flatMap((turns) => turns.map((value, turn) => ({ pool: poolOf(options.normalization, group, turn), value }))),
  );
  const next = reader(normaliseByPool(cells, options.stdFloor));
  return rewards.map((group, g) =>
    credited(group, dropped[g] as boolean, (turns, sibling) =>
      turns.map((reward, turn) => ({ reward, return: valueAt(returns, g, sibling)[turn] as number, advantage: dropped[g] ? null : next() })),
    ),
  );
}

/** Outcome and format penalties of a whole trajectory, normalised over trajectories, the same for every turn. */
function grpoCredit(groups: PerBatch<GradedGroup>, dropped: PerBatch<boolean>, options: CreditOptions): PerBatch<GroupCredit> {
  const rewards = groups.map((group) => turnRewards(group, { ...options, alpha: 0 }));
  const totals = rewards.map((group) => group.map((parts) => parts && [parts.reduce((sum, part) => sum + totalReward(part), 0)]));
  const normalization = options.normalization === 'turnIndex' ? 'group' : options.normalization;
  const cells = kept(totals, dropped).flatMap(({ group, siblings }) =>
    siblings.flatMap(([value]) => ({ pool: poolOf(normalization, group, 0), value: value as number })),
  );
  const next = reader(normaliseByPool(cells, options.stdFloor));
  return rewards.map((group, g) =>
    credited(group, dropped[g] as boolean, (turns, sibling) => {
      const [total, advantage] = [valueAt(totals, g, sibling)[0] as number, dropped[g] ? null : next()];
      return turns.map((reward) => ({ reward, return: total, advantage }));
    }),
  );
}

function poolOf(normalization: Normalization, group: number, turn: number): string {
  switch (normalization) {
    case 'group':
      return `${group}`;
    case 'batch':
      return '';
    case 'turnIndex':
      return `${group}/${turn}`;
  }
}

type Values = PerBatch<PerGroup<PerTurn<number> | null>>;

function kept(values: Values, dropped: PerBatch<boolean>): { readonly group: number; readonly siblings: PerGroup<PerTurn<number>> }[] {
  return values.flatMap((siblings, group) => (dropped[group] ? [] : [{ group, siblings: siblings.filter((turns) => turns !== null) }]));
}

function valueAt(values: Values, group: number, sibling: number): PerTurn<number> {
  return values[group]?.[sibling] ?? [];
}

function credited(
  rewards: PerGroup<PerTurn<RewardParts> | null>,
  dropped: boolean,
  turnsOf: (turns: PerTurn<RewardParts>, sibling: number) => NonNullable<GroupCredit['trajectories'][number]>,
): GroupCredit {
  const trajectories = rewards.map((turns, sibling) => turns && turnsOf(turns, sibling));
  return { trajectories, counted: trajectories.filter((turns) => turns !== null).length, dropped };
}

/** Normalises every cell within its pool; answers in the order of the cells. */
function normaliseByPool(cells: readonly Cell[], stdFloor: number): Float64Array {
  const pools = new Map<string, number[]>();
  for (const [index, { pool }] of cells.entries()) {
    const members = pools.get(pool);
    if (members === undefined) pools.set(pool, [index]);
    else members.push(index);
  }
  const normalised = new Float64Array(cells.length);
  for (const members of pools.values()) {
    const values = normalise(
      members.map((index) => (cells[index] as Cell).value),
      stdFloor,
    );
    for (const [i, index] of members.entries()) normalised[index] = values[i] as number;
  }
  return normalised;
}

/** Hands out the normalised cells in the order in which they were collected. */
function reader(values: Float64Array): () => number {
  let position = 0;
  return () => {
    position += 1;
    return values[position - 1] as number;
  };
}
