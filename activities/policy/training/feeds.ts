/** @file Rows of a micro-batch → feeds of its graph. Position t predicts token t + 1, so everything about a token moves one to the left. */
import type { ModelConfig } from '../../../core/model/config.ts';
import { type Arrangement, layoutFeeds } from '../../../core/model/layoutFeeds.ts';
import type { Feed } from '../ort/session.ts';
import type { MicroBatch } from './microBatches.ts';

/** A row, as far as the graph is concerned. */
export interface TrainedRow {
  readonly tokens: Int32Array;
  /** One per token: not 0 where its prediction counts. Entry 0 never does. */
  readonly trained: ArrayLike<number>;
}

/** Positions that a row of `tokens` occupies: its last token is only predicted. */
export function positionsOf(tokens: { readonly length: number }): number {
  return Math.max(0, tokens.length - 1);
}

/** Tokens start … end − 1 of a row, computed there. */
interface Stretch {
  readonly row: TrainedRow;
  readonly start: number;
  readonly end: number;
}

/** Everything but weights and per-token figures. */
export function tokenFeeds(config: ModelConfig, rows: readonly TrainedRow[], batch: MicroBatch): Record<string, Feed> {
  const stretches = stretchesOf(rows, batch);
  const tokens = new Int32Array(stretches.reduce((sum, { start, end }) => sum + end - start, 0));
  const trained: number[] = [];
  const targets: number[] = [];
  let first = 0;
  for (const { row, start, end } of stretches) {
    tokens.set(row.tokens.subarray(start, end), first);
    for (const t of trainedTokens(row)) {
      if (t <= start || t > end) continue;
      trained.push(first + t - 1 - start);
      targets.push(row.tokens[t] as number);
    }
    first += end - start;
  }
  return {
    ...layoutFeeds(config, arrangementOf(rows, batch), Int32Array.from(trained)),
    tokens: { data: tokens, shape: [tokens.length] },
    targets: { data: Int32Array.from(targets), shape: [targets.length, 1] },
  };
}

/** In the order of the arrangement: rows, or each prefix with what its siblings have of their own. */
function stretchesOf(rows: readonly TrainedRow[], { rows: members, shared }: MicroBatch): Stretch[] {
  const rowAt = (member: number) => rows[member] as TrainedRow;
  const from = (member: number, start: number): Stretch => ({ row: rowAt(member), start, end: positionsOf(rowAt(member).tokens) });
  if (shared === null) return members.map((member) => from(member, 0));
  return shared.groups.flatMap(({ rows: siblings, length }) => [
    { row: rowAt(siblings[0] as number), start: 0, end: length },
    ...siblings.map((sibling) => from(sibling, length)),
  ]);
}

function arrangementOf(rows: readonly TrainedRow[], { rows: members, length, shared }: MicroBatch): Arrangement {
  const lengthOf = (member: number) => positionsOf((rows[member] as TrainedRow).tokens);
  if (shared === null) return { lengths: members.map(lengthOf), length, suffixes: null };
  const { groups, prefixLength, siblings } = shared;
  const own = groups.map((group) => group.rows.map((member) => lengthOf(member) - group.length));
  return { lengths: groups.map((group) => group.length), length: prefixLength, suffixes: { lengths: own, siblings, length } };
}

/** One float per token of each row → [R, 1], one per trained token. */
export function perTokenFeed(rows: readonly TrainedRow[], values: readonly Float32Array[], { rows: members }: MicroBatch): Feed {
  const data = members.flatMap((member) => trainedTokens(rows[member] as TrainedRow).map((t) => (values[member] as Float32Array)[t] as number));
  return { data: Float32Array.from(data), shape: [data.length, 1] };
}

/** The way back: [R, 1] → one array per member of the micro-batch, aligned with the row's tokens; 0 where a token is not trained. */
export function perTokenRows(rows: readonly TrainedRow[], { rows: members }: MicroBatch, values: Float32Array): Map<number, Float32Array> {
  let next = 0;
  return new Map(
    members.map((member) => {
      const row = rows[member] as TrainedRow;
      const aligned = new Float32Array(row.tokens.length);
      for (const t of trainedTokens(row)) aligned[t] = values[next++] as number;
      return [member, aligned];
    }),
  );
}

function trainedTokens({ tokens, trained }: TrainedRow): number[] {
  const found: number[] = [];
  for (let t = 1; t < tokens.length; t++) if (trained[t] !== 0) found.push(t);
  return found;
}
