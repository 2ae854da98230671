/** @file Rows → micro-batches of few fixed shapes: sorted by length, padded at the end, cut where that costs the fewest padded tokens. */

export interface MicroBatch {
  /** Indices into the rows of the step. */
  readonly rows: readonly number[];
  /** B and T of the graph that computes it: at least the number of rows and the longest of them. */
  readonly batch: number;
  readonly length: number;
}

const leastRows = 4;
/** T is a multiple of this: every T costs a session. */
const lengthStep = 32;
const longSequence = 512;
/** What one more run of a graph costs (feeds, gradients out and added), in tokens; measured on nano and S. */
const runCost = 96;

/** The same lengths always give the same micro-batches, in the same order. */
export function planMicroBatches(lengths: readonly number[], maxTokens: number): MicroBatch[] {
  const order = lengths.map((_, row) => row).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const padded = order.map((row) => paddedLength(lengths[row] as number));
  // cost[i]: the least padded tokens for the i-th and all later rows; cut[i]: how many rows its first micro-batch takes.
  const cost = new Float64Array(order.length + 1);
  const cut = new Int32Array(order.length);
  for (let first = order.length - 1; first >= 0; first--) {
    const length = padded[first] as number;
    cost[first] = Number.POSITIVE_INFINITY;
    for (let count = 1; first + count <= order.length; count++) {
      const tokens = paddedRows(count, maxTokens / length) * length;
      if (count > 1 && tokens > maxTokens) break;
      const total = tokens + runCost + (cost[first + count] as number);
      if (total < (cost[first] as number)) {
        cost[first] = total;
        cut[first] = count;
      }
    }
  }
  const batches: MicroBatch[] = [];
  for (let first = 0; first < order.length; first += cut[first] as number) {
    const rows = order.slice(first, first + (cut[first] as number));
    batches.push({ rows, batch: paddedRows(rows.length, maxTokens / (padded[first] as number)), length: padded[first] as number });
  }
  return batches;
}

function paddedLength(length: number): number {
  const step = length > longSequence ? 4 * lengthStep : lengthStep;
  return Math.max(1, Math.ceil(length / step)) * step;
}

/** Powers of two from 4 on (below where not even that fits): every shape costs a session and its memory, so there are few. */
function paddedRows(count: number, mostRows: number): number {
  const power = 2 ** Math.ceil(Math.log2(count));
  return power < leastRows && leastRows <= mostRows ? leastRows : power;
}
