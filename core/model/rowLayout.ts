/**
 * @file How the tokens of several rows are arranged: one after the other [N] for everything that treats tokens alone, on a padded
 * grid of rows [B, T] for attention, and only the trained ones [R] above the last attention. Nothing but attention pays for padding.
 */
import type { Graph } from '../graph/graph.ts';
import { gatherRows } from '../graph/macros.ts';
import type { RopeTables, RowGather } from '../graph/macroTypes.ts';
import type { Dim, Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';
import { rotaryTables } from './rotary.ts';

export interface RowLayout {
  readonly tokenCount: Dim; // N
  readonly rows: Dim; // B
  readonly length: Dim; // T
  /** Queries are taken in blocks that start here. */
  readonly blockStarts: readonly number[];
  readonly positions: Value;
  readonly tables: RopeTables;
  /** [N, heads, headDim] → [B, heads, T, headDim] */
  readonly queryGrid: RowGather;
  readonly keyGrid: RowGather;
  /** [N, D] → [R, D] */
  readonly trained: RowGather;
}

/** Sizes of one arrangement. As names, one graph serves every arrangement with as many attention blocks. */
export const symbolicSizes = { tokenCount: 'N', trainedCount: 'R', rows: 'B', length: 'T' } as const;

/** Queries of one block of attention: few enough to skip much above the diagonal, many enough for efficient products. */
const blockRows = 128;
const leastBlockedLength = 256;

/** Into how many blocks rows of this length are cut. */
export function attentionBlocks(length: number): number {
  return length < leastBlockedLength ? 1 : Math.ceil(length / blockRows);
}

/** The arrangement as inputs of a graph; `layoutFeeds` makes what they are fed. */
export function layoutInputs(graph: Graph, config: ModelConfig, blocks: number): RowLayout {
  const { tokenCount, trainedCount, rows, length } = symbolicSizes;
  const indices = (name: string, shape: readonly Dim[]) => graph.input(name, 'int32', shape);
  const table = (name: string) => graph.input(name, 'float32', [length, config.headDim / 2]);
  const grid = (name: string, heads: number): RowGather => ({
    rows: indices(`${name}Cells`, [rows, heads, length]),
    inverse: indices(`${name}Places`, [tokenCount, heads]),
    complete: true,
  });
  return {
    tokenCount,
    rows,
    length,
    blockStarts: Array.from({ length: blocks }, (_, block) => block * blockRows),
    positions: indices('positions', [length]),
    tables: { cosine: table('cosine'), sine: table('sine'), negativeSine: table('negativeSine'), positions: graph.integers([0]) },
    queryGrid: grid('query', config.headCount),
    keyGrid: grid('key', config.kvHeadCount),
    trained: { rows: indices('trained', [trainedCount]), inverse: indices('trainedPlaces', [tokenCount]), complete: false },
  };
}

/** [B, heads, T, headDim] → [N, heads, headDim]: the way back from the grid, which leaves the padding behind. */
export function offGrid(x: Value, { rows, inverse }: RowGather): Value {
  return gatherRows(x, { rows: inverse, inverse: rows, complete: false });
}

export interface LayoutFeed {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** `lengths` are tokens per row, `trained` indices among all of them, ascending; the grid is `length` wide. */
export function layoutFeeds(config: ModelConfig, lengths: readonly number[], length: number, trained: Int32Array): Record<string, LayoutFeed> {
  const tokenCount = lengths.reduce((sum, count) => sum + count, 0);
  const places = new Int32Array(tokenCount).fill(-1);
  trained.forEach((token, place) => {
    places[token] = place;
  });
  const { cosine, sine } = rotaryTables(config, length);
  const table = (data: Float32Array) => ({ data, shape: [length, config.headDim / 2] });
  return {
    ...gridFeeds('query', config.headCount, lengths, length, tokenCount),
    ...gridFeeds('key', config.kvHeadCount, lengths, length, tokenCount),
    positions: { data: Int32Array.from({ length }, (_, position) => position), shape: [length] },
    cosine: table(cosine),
    sine: table(sine),
    negativeSine: table(sine.map((value) => -value)),
    trained: { data: trained, shape: [trained.length] },
    trainedPlaces: { data: places, shape: [tokenCount] },
  };
}

function gridFeeds(name: string, heads: number, lengths: readonly number[], length: number, tokenCount: number): Record<string, LayoutFeed> {
  const cells = new Int32Array(lengths.length * heads * length).fill(-1);
  const places = new Int32Array(tokenCount * heads);
  let token = 0;
  lengths.forEach((count, row) => {
    for (let position = 0; position < count; position++, token++) {
      for (let head = 0; head < heads; head++) {
        const [cell, place] = [(row * heads + head) * length + position, token * heads + head];
        cells[cell] = place;
        places[place] = cell;
      }
    }
  });
  return { [`${name}Cells`]: { data: cells, shape: [lengths.length, heads, length] }, [`${name}Places`]: { data: places, shape: [tokenCount, heads] } };
}
