/**
 * @file Which rows begin alike: siblings follow one another and share their prompt. What they share is computed once, where that saves enough
 * to be worth a second grid of attention. Decided by the tokens alone, so the same rows always give the same groups.
 */
import type { TrainedRow } from './feeds.ts';

export interface SharedPrefix {
  /** Indices into the rows of the step. */
  readonly rows: readonly number[];
  /** Tokens that all of them begin with; none of what they predict is trained. */
  readonly length: number;
}

/** A prefix below this is not worth looking at. */
const leastLength = 16;
/** Of a group's tokens, so many must fall away. */
const leastSaving = 0.25;

export function sharedPrefixes(rows: readonly TrainedRow[]): { readonly groups: readonly SharedPrefix[]; readonly alone: readonly number[] } {
  const groups: SharedPrefix[] = [];
  const alone: number[] = [];
  for (let first = 0; first < rows.length; ) {
    const group = groupFrom(rows, first);
    if (saving(rows, group) >= leastSaving) groups.push(group);
    else alone.push(...group.rows);
    first += group.rows.length;
  }
  return { groups, alone };
}

/** The rows from `first` on that share at least half of what the first two do. */
function groupFrom(rows: readonly TrainedRow[], first: number): SharedPrefix {
  const members = [first];
  let length = 0;
  for (let next = first + 1; next < rows.length; next++) {
    const common = commonLength(rows[first] as TrainedRow, rows[next] as TrainedRow);
    const kept = members.length === 1 ? common : Math.min(length, common);
    if (kept < Math.max(leastLength, length / 2)) break;
    length = kept;
    members.push(next);
  }
  return { rows: members, length };
}

function saving(rows: readonly TrainedRow[], group: SharedPrefix): number {
  const tokens = group.rows.reduce((sum, row) => sum + (rows[row] as TrainedRow).tokens.length, 0);
  return ((group.rows.length - 1) * group.length) / tokens;
}

/** Tokens that two rows begin with, up to the first whose prediction is trained: that one is each row's own. */
function commonLength(a: TrainedRow, b: TrainedRow): number {
  const most = Math.min(a.tokens.length, b.tokens.length) - 1;
  let length = 0;
  while (length < most && a.tokens[length] === b.tokens[length] && !a.trained[length + 1] && !b.trained[length + 1]) length++;
  return length;
}
