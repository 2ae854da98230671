/** @file Rows → micro-batches: sorted by length, so that rows of one grid of attention are about equally long. */

export interface MicroBatch {
  /** Indices into the rows of the step. */
  readonly rows: readonly number[];
  /** Width of the grid: at least the longest of the rows. */
  readonly length: number;
}

/** Widths are multiples of this, which suits the kernels. */
const lengthStep = 8;

/** As many rows as fit into a grid of `maxTokens`, at least one. The same lengths always give the same micro-batches, in the same order. */
export function planMicroBatches(lengths: readonly number[], maxTokens: number): MicroBatch[] {
  const order = lengths.map((_, row) => row).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const batches: MicroBatch[] = [];
  for (let first = 0; first < order.length; ) {
    const length = Math.ceil(Math.max(1, lengths[order[first] as number] as number) / lengthStep) * lengthStep;
    const count = Math.max(1, Math.floor(maxTokens / length));
    batches.push({ rows: order.slice(first, first + count), length });
    first += count;
  }
  return batches;
}

/** Cells of the grid, padding included. */
export function cellsOf({ rows, length }: MicroBatch): number {
  return rows.length * length;
}
