/** @file Rows of a micro-batch → feeds of its graph. Position t predicts token t + 1, so everything about a token moves one to the left. */
import type { ModelConfig } from '../../../core/model/config.ts';
import { layoutFeeds } from '../../../core/model/rowLayout.ts';
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

/** Everything but weights and per-token figures. */
export function tokenFeeds(config: ModelConfig, rows: readonly TrainedRow[], { rows: members, length }: MicroBatch): Record<string, Feed> {
  const chosen = members.map((member) => rows[member] as TrainedRow);
  const lengths = chosen.map(({ tokens }) => positionsOf(tokens));
  const tokens = new Int32Array(lengths.reduce((sum, count) => sum + count, 0));
  const trained: number[] = [];
  const targets: number[] = [];
  let start = 0;
  for (const row of chosen) {
    tokens.set(row.tokens.subarray(0, positionsOf(row.tokens)), start);
    for (const t of trainedTokens(row)) {
      trained.push(start + t - 1);
      targets.push(row.tokens[t] as number);
    }
    start += positionsOf(row.tokens);
  }
  return {
    ...layoutFeeds(config, lengths, length, Int32Array.from(trained)),
    tokens: { data: tokens, shape: [tokens.length] },
    targets: { data: Int32Array.from(targets), shape: [targets.length, 1] },
  };
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
