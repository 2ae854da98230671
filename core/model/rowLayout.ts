/**
 * @file How the tokens of several rows are arranged: one after the other [N] for everything that treats tokens alone, on padded grids for
 * attention, and only the trained ones [R] above the last attention. Nothing but attention pays for padding. There is one grid of rows
 * [B, T]; where siblings share a prefix, its rows are the prefixes, and a second grid [B, G, U] holds what G siblings have of their own.
 */
import type { Graph } from '../graph/graph.ts';
import type { GridPlaces, RopeTables, RowGather } from '../graph/macroTypes.ts';
import { times } from '../graph/shapes.ts';
import type { Dim, Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';

export interface RowLayout {
  readonly tokenCount: Dim; // N
  readonly tables: RopeTables;
  readonly length: Dim; // T
  /** Queries of the rows are taken in blocks that start here. */
  readonly blockStarts: readonly number[];
  readonly positions: Value;
  /** null: every row stands alone. */
  readonly suffixes: SuffixLayout | null;
  /** [N, heads, 1, headDim] → [B, kv, group, T, headDim], and [B, kv, G, group · U, headDim]. */
  readonly queryPlaces: GridPlaces;
  /** [N, kv, 1, headDim] → [B, kv, T, headDim], and [B, kv, G, U, headDim]. */
  readonly keyPlaces: GridPlaces;
  /** [N, D] → [R, D] */
  readonly trained: RowGather;
}

export interface SuffixLayout {
  readonly positions: Value;
  /** [B, 1, 1, 1, T] */
  readonly prefixMask: Value;
}

/** Sizes of one arrangement. As names, one graph serves every arrangement with as many attention blocks. */
export const symbolicSizes = { tokenCount: 'N', trainedCount: 'R', rows: 'B', length: 'T', siblings: 'G', suffixLength: 'U' } as const;

/** Queries of one block of attention: few enough to skip much above the diagonal, many enough for efficient products. */
const blockRows = 128;
const leastBlockedLength = 256;

/** Into how many blocks rows of this length are cut. */
export function attentionBlocks(length: number): number {
  return length < leastBlockedLength ? 1 : Math.ceil(length / blockRows);
}

/** What tells arrangements apart that need graphs of their own. */
export interface LayoutKind {
  readonly attentionBlocks: number;
  /** Siblings behind prefixes that they share. */
  readonly shared: boolean;
}

/** The arrangement as inputs of a graph; `layoutFeeds` makes what they are fed. */
export function layoutInputs(graph: Graph, config: ModelConfig, blocks: number, shared = false): RowLayout {
  const { tokenCount, trainedCount, rows, length, suffixLength } = symbolicSizes;
  const indices = (name: string, shape: readonly Dim[]) => graph.input(name, 'int32', shape);
  const table = (name: string) => graph.input(name, 'float32', ['P', config.headDim / 2]);
  return {
    tokenCount,
    tables: {
      cosine: table('cosine'),
      sine: table('sine'),
      negativeSine: table('negativeSine'),
      positions: graph.input('tokenPositions', 'int64', [tokenCount, 1]),
    },
    length,
    blockStarts: Array.from({ length: blocks }, (_, block) => block * blockRows),
    positions: indices('positions', [length]),
    suffixes: shared
      ? { positions: indices('suffixPositions', [suffixLength]), prefixMask: graph.input('prefixMask', 'float32', [rows, 1, 1, 1, length]) }
      : null,
    queryPlaces: placesInputs(graph, 'query', config, config.headCount / config.kvHeadCount, shared),
    keyPlaces: placesInputs(graph, 'key', config, null, shared),
    trained: { rows: indices('trained', [trainedCount]), inverse: indices('trainedPlaces', [tokenCount]), complete: false },
  };
}

/** `group` is null for keys, of which there is one a group. */
function placesInputs(graph: Graph, name: string, { kvHeadCount }: ModelConfig, group: number | null, shared: boolean): GridPlaces {
  const { tokenCount, rows, length, siblings, suffixLength } = symbolicSizes;
  const inRow = group === null ? [length] : [group, length];
  const cells = [graph.input(`${name}Cells`, 'int32', [rows, kvHeadCount, ...inRow])];
  if (shared) cells.push(graph.input(`${name}SuffixCells`, 'int32', [rows, kvHeadCount, siblings, times(group ?? 1, suffixLength)]));
  return { cells, places: graph.input(`${name}Places`, 'int32', [tokenCount, kvHeadCount * (group ?? 1), 1]) };
}
