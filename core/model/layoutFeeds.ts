/** @file What the inputs of an arrangement are fed: where each token stands on the grids, which are trained, and how far each is turned. */

import { masked } from './cachedAttention.ts';
import type { ModelConfig } from './config.ts';
import { rotaryTables } from './rotary.ts';

export interface LayoutFeed {
  readonly data: Float32Array | Int32Array | BigInt64Array;
  readonly shape: readonly number[];
}

/** Rows of one after the other; with `suffixes`, of prefixes with their siblings' own tokens behind each. */
export interface Arrangement {
  /** Tokens of every row of the first grid, and its width. */
  readonly lengths: readonly number[];
  readonly length: number;
  readonly suffixes: { readonly lengths: readonly (readonly number[])[]; readonly siblings: number; readonly length: number } | null;
}

interface Grid {
  readonly rows: number;
  readonly siblings: number;
  readonly length: number;
  /** [rows, siblings, length]: the token in this cell, or −1. */
  readonly tokens: Int32Array;
}

/** `trained` are indices among all tokens. */
export function layoutFeeds(config: ModelConfig, arrangement: Arrangement, trained: Int32Array): Record<string, LayoutFeed> {
  const { grids, positions } = placed(arrangement);
  const tokenCount = positions.length;
  const places = new Int32Array(tokenCount).fill(-1);
  trained.forEach((token, place) => {
    places[token] = place;
  });
  const longest = positions.reduce((most, position) => Math.max(most, position), 0) + 1;
  const { cosine, sine } = rotaryTables(config, longest);
  const table = (data: Float32Array) => ({ data, shape: [longest, config.headDim / 2] });
  return {
    ...gridFeeds('query', config.kvHeadCount, config.headCount / config.kvHeadCount, grids, tokenCount),
    ...gridFeeds('key', config.kvHeadCount, null, grids, tokenCount),
    ...suffixFeeds(arrangement),
    tokenPositions: { data: BigInt64Array.from(positions, BigInt), shape: [tokenCount, 1] },
    positions: ascending(arrangement.length),
    cosine: table(cosine),
    sine: table(sine),
    negativeSine: table(sine.map((value) => -value)),
    trained: { data: trained, shape: [trained.length] },
    trainedPlaces: { data: places, shape: [tokenCount] },
  };
}

const ascending = (length: number): LayoutFeed => ({ data: Int32Array.from({ length }, (_, position) => position), shape: [length] });

function suffixFeeds({ lengths, length, suffixes }: Arrangement): Record<string, LayoutFeed> {
  if (suffixes === null) return {};
  const mask = new Float32Array(lengths.length * length);
  lengths.forEach((count, row) => {
    mask.fill(masked, row * length + count, (row + 1) * length);
  });
  return { suffixPositions: ascending(suffixes.length), prefixMask: { data: mask, shape: [lengths.length, 1, 1, 1, length] } };
}

/** Tokens lie as they are listed: a row, then its siblings' own tokens, then the next row. */
function placed({ lengths, length, suffixes }: Arrangement): { grids: Grid[]; positions: number[] } {
  const rows: Grid = { rows: lengths.length, siblings: 1, length, tokens: new Int32Array(lengths.length * length).fill(-1) };
  const [siblings, width] = [suffixes?.siblings ?? 0, suffixes?.length ?? 0];
  const own: Grid = { rows: lengths.length, siblings, length: width, tokens: new Int32Array(lengths.length * siblings * width).fill(-1) };
  const positions: number[] = [];
  const place = ({ tokens }: Grid, cell: number, count: number, first: number) => {
    for (let i = 0; i < count; i++) {
      tokens[cell + i] = positions.length;
      positions.push(first + i);
    }
  };
  lengths.forEach((count, row) => {
    place(rows, row * length, count, 0);
    suffixes?.lengths[row]?.forEach((ownCount, sibling) => {
      place(own, (row * siblings + sibling) * width, ownCount, count);
    });
  });
  return { grids: suffixes === null ? [rows] : [rows, own], positions };
}

/** Cells [rows, kv, siblings, group, length] of every grid, and for every head of a token where it stands. */
function gridFeeds(name: string, kv: number, group: number | null, grids: readonly Grid[], tokenCount: number): Record<string, LayoutFeed> {
  const perKey = group ?? 1;
  const places = new Int32Array(tokenCount * kv * perKey);
  const feeds: Record<string, LayoutFeed> = { [`${name}Places`]: { data: places, shape: [tokenCount, kv * perKey, 1] } };
  let start = 0;
  grids.forEach(({ rows, siblings, length, tokens }, index) => {
    const cells = new Int32Array(rows * kv * siblings * perKey * length).fill(-1);
    for (let cell = 0; cell < cells.length; cell++) {
      const [position, above] = [cell % length, Math.floor(cell / length)];
      const [inGroup, outer] = [above % perKey, Math.floor(above / perKey)];
      const [sibling, rowHead] = [outer % siblings, Math.floor(outer / siblings)];
      const token = tokens[(Math.floor(rowHead / kv) * siblings + sibling) * length + position] as number;
      if (token < 0) continue;
      const place = (token * kv + (rowHead % kv)) * perKey + inGroup;
      cells[cell] = place;
      places[place] = start + cell;
    }
    start += cells.length;
    feeds[index === 0 ? `${name}Cells` : `${name}SuffixCells`] = {
      data: cells,
      shape: index === 0 ? [rows, kv, ...(group === null ? [] : [group]), length] : [rows, kv, siblings, perKey * length],
    };
  });
  return feeds;
}
