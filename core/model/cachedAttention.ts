/**
 * @file Attention of new tokens to keys and values that are cached, and to themselves: of a chunk of tokens a row, and of one token a row whose
 * context other rows may have in common.
 */
import type { Graph } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import type { Shape, Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';

/** Added to the score of a slot that a row must not see; its probability becomes exactly 0. */
export const masked = -1e9;

export interface AttentionInputs {
  /** [B, heads, T, headDim] */
  readonly query: Value;
  /** [B, kv, T, headDim] */
  readonly key: Value;
  readonly value: Value;
}

/** → [N, heads · headDim] */
export type CachedAttention = (inputs: AttentionInputs, layer: number) => Value;

/** Every token of a chunk sees the row's cache and, causally, its own chunk. Inputs: see `prefillGraph`. */
export function chunkAttention(graph: Graph, config: ModelConfig, positions: Value): CachedAttention {
  const { headCount: heads, kvHeadCount: kvHeads, headDim } = config;
  const mask = graph.input('mask', 'float32', ['B', 1, 1, 'S']);
  const ownMask = graph.input('ownMask', 'float32', [1, 1, 1, 'T', 'T']);
  const scale = { alpha: 1 / Math.sqrt(headDim) };
  const causal = (scores: Value): Value => {
    const perGroup = ops.reshapeTo(scores, ownShape(positions, [kvHeads, heads / kvHeads, -1]), ['B', kvHeads, heads / kvHeads, 'T', 'T']);
    return ops.reshapeTo(ops.add(perGroup, ownMask), ownShape(positions, [kvHeads, -1]), ['B', kvHeads, 'group·T', 'T']);
  };
  // The queries that share a key lie in one matrix.
  const folded = (query: Value) => ops.reshapeTo(query, graph.integers([0, kvHeads, -1, headDim]), ['B', kvHeads, 'group·T', headDim]);
  return ({ query: unfolded, key, value }, layer) => {
    const query = folded(unfolded);
    const [keys, values] = cache(graph, ['keys', 'values'], layer, ['B', kvHeads, 'S', headDim]);
    const past = ops.add(ops.fusedMatMul(query, keys, { ...scale, transB: true }), mask);
    const own = causal(ops.fusedMatMul(query, key, { ...scale, transB: true }));
    const probabilities = ops.softmax(ops.concat([past, own], 3, 'S+T'));
    const split = ops.shape(mask, 3, 4);
    const toPast = ops.fusedMatMul(ops.sliceBetween(probabilities, 3, graph.integers([0]), split, 'S'), values);
    const toOwn = ops.matMul(ops.sliceBetween(probabilities, 3, split, graph.integers([Number.MAX_SAFE_INTEGER]), 'T'), value);
    const perHead = ops.reshapeTo(ops.add(toPast, toOwn), graph.integers([0, heads, -1, headDim]), ['B', heads, 'T', headDim]);
    return ops.reshapeTo(ops.transpose(perHead, [0, 2, 1, 3]), graph.integers([-1, heads * headDim]), ['N', heads * headDim]);
  };
}

/** [B, …inner, T] as an int64 value; an inner −1 is inferred. */
function ownShape(positions: Value, inner: readonly number[]): Value {
  return ops.concat([ops.shape(positions, 0, 1), positions.graph.integers(inner), ops.shape(positions, 1, 2)], 0);
}

/**
 * A token sees its row's context, what the row has sampled since, and itself; one softmax runs over the whole row. Inputs: see `decodeGraph`.
 * What a row has sampled meets one query a product: kernels for one query read a matrix where it lies, those for several copy it first,
 * which would be most of the work. They know no factor, so queries come scaled: see `withScaledQueries`.
 */
export function tokenAttention(graph: Graph, config: ModelConfig, withContexts: boolean): CachedAttention {
  const { headCount: heads, kvHeadCount: kvHeads, headDim } = config;
  const group = heads / kvHeads;
  const widths = withContexts ? ['P', 'S', 1] : ['S', 1];
  const width = widths.join('+');
  const mask = graph.input('mask', 'float32', ['B', 1, 1, 1, width]);
  const parts = graph.input('parts', 'int64', [widths.length]);
  const contextOf = withContexts ? contextProducts(graph, config) : () => null;
  const ofRow = (x: Value, queries: number) => ops.reshape(x, ['B', kvHeads, queries, 1, headDim]);
  return (inputs, layer) => {
    const [query, key, value] = [ofRow(inputs.query, group), ofRow(inputs.key, 1), ofRow(inputs.value, 1)];
    const [keys, values] = cache(graph, ['keys', 'values'], layer, ['B', kvHeads, 1, 'S', headDim]);
    const context = contextOf(layer);
    const toRow = [ops.fusedMatMul(query, keys, { transB: true }), ops.fusedMatMul(query, key, { transB: true })];
    const scores = ops.concat(context ? [context.scores(query), ...toRow] : toRow, 4, width);
    const [ofItself, ofSampled, ofContext] = ops.splitBy(ops.softmax(ops.add(scores, mask)), parts, 4, widths).reverse() as [Value, Value, Value?];
    const fromRow = ops.add(ops.fusedMatMul(ofSampled, values), ops.mul(ofItself, value));
    return ops.reshape(context && ofContext ? ops.add(context.mixed(ofContext), fromRow) : fromRow, ['N', heads * headDim]);
  };
}

interface ContextProducts {
  /** [B, kv, group, 1, headDim] → [B, kv, group, 1, P] */
  readonly scores: (query: Value) => Value;
  /** [B, kv, group, 1, P] → [B, kv, group, 1, headDim] */
  readonly mixed: (probabilities: Value) => Value;
}

/** The queries of all rows at a context meet its keys, and their probabilities its values, in one product each, so that these are read once. */
function contextProducts(graph: Graph, { headCount, kvHeadCount: kvHeads, headDim }: ModelConfig): (layer: number) => ContextProducts {
  const toSeats = graph.input('toSeats', 'int64', ['C', kvHeads, 'R·group', 4]);
  const toRows = graph.input('toRows', 'int64', ['B', kvHeads, headCount / kvHeads, 1, 3]);
  return (layer) => {
    const [keys, values] = cache(graph, ['contextKeys', 'contextValues'], layer, ['C', kvHeads, 'P', headDim]);
    return {
      scores: (query) => ops.gatherND(ops.fusedMatMul(ops.gatherND(query, toSeats), keys, { transB: true }), toRows),
      mixed: (probabilities) => ops.gatherND(ops.fusedMatMul(ops.gatherND(probabilities, toSeats), values), toRows),
    };
  };
}

/** A layer's cached keys and values, each of this shape. */
function cache(graph: Graph, [keys, values]: readonly [string, string], layer: number, shape: Shape): [Value, Value] {
  return [graph.input(`${keys}.${layer}`, 'float32', shape), graph.input(`${values}.${layer}`, 'float32', shape)];
}
