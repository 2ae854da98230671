/** @file Rows → micro-batches: sorted by length, so that rows of one grid of attention are about equally long. */
import { attentionBlocks, type LayoutKind } from '../../../core/model/rowLayout.ts';
import type { SharedPrefix } from './sharedPrefixes.ts';

export interface MicroBatch {
  /** Indices into the rows of the step. */
  readonly rows: readonly number[];
  /** Width of the grid: at least the longest of the rows, or of what siblings have of their own. */
  readonly length: number;
  /** null: every row stands alone. */
  readonly shared: SharedGrid | null;
}

export interface SharedGrid {
  readonly groups: readonly SharedPrefix[];
  readonly prefixLength: number;
  readonly siblings: number;
}

/** Widths are multiples of this, which suits the kernels. */
const lengthStep = 8;
const widthFor = (lengths: readonly number[]) => Math.ceil(Math.max(1, ...lengths) / lengthStep) * lengthStep;

/** As many rows as fit into a grid of `maxTokens`, at least one. The same lengths always give the same micro-batches, in the same order. */
export function planMicroBatches(lengths: readonly number[], maxTokens: number, alone: readonly number[] = lengths.map((_, row) => row)): MicroBatch[] {
  const order = alone.toSorted((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const batches: MicroBatch[] = [];
  for (let first = 0; first < order.length; ) {
    const length = widthFor([lengths[order[first] as number] as number]);
    const count = Math.max(1, Math.floor(maxTokens / length));
    batches.push({ rows: order.slice(first, first + count), length, shared: null });
    first += count;
  }
  return batches;
}

/** Groups behind their prefixes, in their order, as many as fit; a group that does not fit is cut. */
export function planShared(lengths: readonly number[], groups: readonly SharedPrefix[], maxTokens: number): MicroBatch[] {
  const batches: MicroBatch[] = [];
  for (const group of groups.flatMap((whole) => cut(lengths, whole, maxTokens))) {
    const last = batches.at(-1);
    const joined = last?.shared ? sharedBatch(lengths, [...last.shared.groups, group]) : null;
    if (joined !== null && cellsOf(joined) <= maxTokens) batches[batches.length - 1] = joined;
    else batches.push(sharedBatch(lengths, [group]));
  }
  return batches;
}

function cut(lengths: readonly number[], group: SharedPrefix, maxTokens: number): SharedPrefix[] {
  const own = widthFor(group.rows.map((row) => (lengths[row] as number) - group.length));
  const count = Math.max(1, Math.floor((maxTokens - widthFor([group.length])) / own));
  const parts = Math.ceil(group.rows.length / count);
  const size = Math.ceil(group.rows.length / parts);
  return Array.from({ length: parts }, (_, part) => ({ ...group, rows: group.rows.slice(part * size, (part + 1) * size) })).filter(
    ({ rows }) => rows.length > 0,
  );
}

function sharedBatch(lengths: readonly number[], groups: readonly SharedPrefix[]): MicroBatch {
  return {
    rows: groups.flatMap(({ rows }) => rows),
    length: widthFor(groups.flatMap((group) => group.rows.map((row) => (lengths[row] as number) - group.length))),
    shared: { groups, prefixLength: widthFor(groups.map(({ length }) => length)), siblings: Math.max(...groups.map(({ rows }) => rows.length)) },
  };
}

/** What graphs of this micro-batch must be made for. */
export function layoutKindOf({ length, shared }: MicroBatch): LayoutKind {
  return { attentionBlocks: attentionBlocks(shared?.prefixLength ?? length), shared: shared !== null };
}

/** Keys that a token attends to at most: siblings see their prefix as well as themselves. */
export function attendedOf({ length, shared }: MicroBatch): number {
  return length + (shared?.prefixLength ?? 0);
}

/** Cells of the grids, padding included. */
export function cellsOf({ rows, length, shared }: MicroBatch): number {
  if (shared === null) return rows.length * length;
  return shared.groups.length * (shared.prefixLength + shared.siblings * length);
}
