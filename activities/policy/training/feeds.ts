/** @file Rows of a micro-batch → feeds of its graph. Position t predicts token t + 1, so everything about a token moves one to the left. */
import type { Feed } from '../ort/session.ts';
import type { MicroBatch } from './microBatches.ts';

/** Positions that a row of `tokens` occupies: its last token is only predicted. */
export function positionsOf(tokens: { readonly length: number }): number {
  return Math.max(0, tokens.length - 1);
}

export function tokenFeeds(rows: readonly { readonly tokens: Int32Array }[], { rows: members, batch, length }: MicroBatch): Record<'tokens' | 'targets', Feed> {
  const [tokens, targets] = [new BigInt64Array(batch * length), new BigInt64Array(batch * length)];
  members.forEach((member, at) => {
    const row = (rows[member] as { tokens: Int32Array }).tokens;
    for (let t = 0; t + 1 < row.length; t++) {
      tokens[at * length + t] = BigInt(row[t] as number);
      targets[at * length + t] = BigInt(row[t + 1] as number);
    }
  });
  return { tokens: { data: tokens, shape: [batch, length] }, targets: { data: targets, shape: [batch * length, 1] } };
}

/** One float per token of each row → [N, 1], zero in the padding. */
export function perTokenFeed(values: readonly Float32Array[], { rows: members, batch, length }: MicroBatch): Feed {
  const data = new Float32Array(batch * length);
  members.forEach((member, at) => {
    data.set((values[member] as Float32Array).subarray(1), at * length);
  });
  return { data, shape: [batch * length, 1] };
}

/** The way back: [N, 1] → one array per member of the micro-batch, aligned with the row's tokens (entry 0 is 0). */
export function perTokenRows(
  rows: readonly { readonly tokens: Int32Array }[],
  { rows: members, length }: MicroBatch,
  values: Float32Array,
): Map<number, Float32Array> {
  return new Map(
    members.map((member, at) => {
      const aligned = new Float32Array((rows[member] as { tokens: Int32Array }).tokens.length);
      aligned.set(values.subarray(at * length, at * length + positionsOf(aligned)), 1);
      return [member, aligned];
    }),
  );
}
