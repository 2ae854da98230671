/**
 * @file The two graphs that generate: `prefill` computes the keys and values of T given tokens a row, `decode` those of one token and its logits.
 * The weights are initializers, packed once per policy version. A row's keys and values lie at their positions in a cache that is padded to
 * a multiple of 32 and masked; new ones are outputs, written into the cache by the caller. So a row's numbers depend on its own tokens only:
 * not on the rows beside it, nor on how far the cache is padded.
 */
import { Graph } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig, Tensor, Weights } from './config.ts';
import { rotaryTables } from './rotary.ts';
import { embeddingName, finalNormName, headName, layerNames } from './tensorNames.ts';

/** Positions in a cache come in multiples of this; prefill chunks are aligned to it. */
export const cacheBlock = 32;

/** Added to the score of a slot that a row must not see; its probability becomes exactly 0. */
export const masked = -1e9;

/** Inputs, with B rows, T tokens a row (1 in `decode`), S cache slots:
 *  tokens int64 [B, T], positions int64 [B, T], mask [B, 1, 1, 1, S] (0 or `masked`), ownMask [1, 1, 1, T, T] (prefill only),
 *  keys.l [B, kv, 1, headDim, S] (transposed: scores need no packing), values.l [B, kv, 1, S, headDim].
 *  Outputs: kv [B, 2 L kv T headDim] (per layer keys [kv, T, headDim], then values), and in `decode` logits [B, V]. */
export function prefillGraph(config: ModelConfig, weights: Weights): Graph {
  return buildGraph(config, weights, 'prefill');
}

export function decodeGraph(config: ModelConfig, weights: Weights): Graph {
  return buildGraph(config, weights, 'decode');
}

interface Context {
  readonly graph: Graph;
  readonly config: ModelConfig;
  readonly kind: 'prefill' | 'decode';
  readonly weight: (name: string) => Value;
  readonly packed: (name: string, parts: readonly string[]) => Value;
  readonly positions: Value;
  readonly mask: Value;
  readonly ownMask: Value | null;
  readonly cosine: Value;
  readonly sine: Value;
}

function buildGraph(config: ModelConfig, weights: Weights, kind: 'prefill' | 'decode'): Graph {
  const graph = new Graph();
  const context = contextOf(graph, config, weights, kind);
  const tokens = graph.input('tokens', 'int64', ['B', kind === 'decode' ? 1 : 'T']);
  const embedding = context.weight(embeddingName);
  let x = ops.reshape(ops.gather(embedding, tokens), ['N', config.hiddenSize]);
  const cached: Value[] = [];
  for (let layer = 0; layer < config.layerCount; layer++) {
    graph.scope = `layers.${layer}/`;
    const attention = attentionInputs(context, x, layer);
    cached.push(flatPerRow(attention.key, config), flatPerRow(attention.value, config));
    // Prefill wants keys and values alone: what the last layer does with them is never computed.
    if (kind === 'prefill' && layer === config.layerCount - 1) break;
    x = ops.add(x, attend(context, attention, layer));
    x = ops.add(x, feedForward(context, x, layer));
  }
  graph.scope = 'head/';
  if (kind === 'decode') {
    const normed = ops.simplifiedLayerNormalization(x, context.weight(finalNormName), config.rmsNormEps);
    graph.output('logits', ops.linear(normed, context.weight(headName(config))));
  }
  graph.output('kv', ops.concat(cached, 1, 'C'));
  return graph;
}

function contextOf(graph: Graph, config: ModelConfig, weights: Weights, kind: 'prefill' | 'decode'): Context {
  const made = new Map<string, Value>();
  const initializer = (name: string, tensor: () => Tensor): Value => {
    const value = made.get(name) ?? graph.initializer(name, 'float32', tensor().shape, tensor().data);
    made.set(name, value);
    return value;
  };
  const weight = (name: string) => initializer(name, () => tensorOf(weights, name));
  const packed = (name: string, parts: readonly string[]) => {
    const tensor = stacked(parts.map((part) => tensorOf(weights, part)));
    return initializer(name, () => tensor);
  };
  const tables = rotaryTables(config, config.maxPositions);
  // Queries and keys each carry the square root of the attention's 1 / √headDim: a product with a factor of its own takes a slower kernel.
  const share = config.headDim ** -0.25;
  const scaled = (data: Float32Array) => data.map((value) => value * share);
  const table = (name: string, data: Float32Array) => graph.initializer(name, 'float32', [config.maxPositions, config.headDim / 2], scaled(data));
  return {
    graph,
    config,
    kind,
    weight,
    packed,
    positions: graph.input('positions', 'int64', ['B', kind === 'decode' ? 1 : 'T']),
    mask: graph.input('mask', 'float32', ['B', 1, 1, 1, 'S']),
    ownMask: kind === 'decode' ? null : graph.input('ownMask', 'float32', [1, 1, 1, 'T', 'T']),
    cosine: table('cosine', tables.cosine),
    sine: table('sine', tables.sine),
  };
}

interface AttentionInputs {
  /** `decode`: [B, kv, group, 1, headDim]; `prefill`: [B, kv, 1, group · T, headDim]. */
  readonly query: Value;
  /** [B, kv, T, headDim] */
  readonly key: Value;
  readonly value: Value;
}

/** x [N, D] → rotated queries and keys, and values. */
function attentionInputs(context: Context, x: Value, layer: number): AttentionInputs {
  const { config, kind } = context;
  const { headCount: heads, kvHeadCount: kvHeads, headDim } = config;
  const all = heads + 2 * kvHeads;
  const names = layerNames(layer);
  const normed = ops.simplifiedLayerNormalization(x, context.weight(names.inputNorm), config.rmsNormEps);
  const bias = config.attentionBias ? context.packed(`layers.${layer}.qkv.bias`, [names.queryBias, names.keyBias, names.valueBias]) : undefined;
  const joined = ops.linear(normed, context.packed(`layers.${layer}.qkv.weight`, [names.query, names.key, names.value]), bias);
  const perHead =
    kind === 'decode'
      ? ops.reshape(joined, ['B', all, 1, headDim])
      : ops.transpose(ops.reshapeTo(joined, rowShape(context, [all, headDim]), ['B', 'T', all, headDim]), [0, 2, 1, 3]);
  const [query, key, value] = rotated(context, perHead, layer);
  return { query: foldGroups(query, config, kind), key, value };
}

/** Splits [B, heads + 2 kv, T, headDim] into queries, keys and values; normalises and rotates the first two. */
function rotated(context: Context, perHead: Value, layer: number): [Value, Value, Value] {
  const { config, positions, cosine, sine } = context;
  const { headCount: heads, kvHeadCount: kvHeads } = config;
  const rotate = (x: Value) => ops.rotaryEmbedding(x, positions, cosine, sine);
  if (config.queryKeyNorm) {
    const [query, key, value] = ops.split(perHead, [heads, kvHeads, kvHeads], 1) as [Value, Value, Value];
    const names = layerNames(layer);
    const norm = (x: Value, name: string) => ops.simplifiedLayerNormalization(x, context.weight(name), config.rmsNormEps);
    return [rotate(norm(query, names.queryNorm)), rotate(norm(key, names.keyNorm)), value];
  }
  const [both, value] = ops.split(perHead, [heads + kvHeads, kvHeads], 1) as [Value, Value];
  const [query, key] = ops.split(rotate(both), [heads, kvHeads], 1) as [Value, Value];
  return [query, key, value];
}

/**
 * Attention of the new tokens to the cache and to themselves, projected back: [N, D]. In `decode` every query head is a product of one row,
 * which reads the cache as it lies; with the heads of a group in one matrix, the kernel would first pack all keys and values.
 */
function attend(context: Context, { query, key, value }: AttentionInputs, layer: number): Value {
  const { graph, config, kind } = context;
  const { headCount: heads, kvHeadCount: kvHeads, headDim } = config;
  const keys = graph.input(`keys.${layer}`, 'float32', ['B', kvHeads, 1, headDim, 'S']);
  const values = graph.input(`values.${layer}`, 'float32', ['B', kvHeads, 1, 'S', headDim]);
  const [ownKey, ownValue] = [stackable(context, key), stackable(context, value)];
  const past = ops.add(ops.matMul(query, keys), context.mask);
  const own = ownScores(context, ops.fusedMatMul(query, ownKey, { transB: true }));
  const probabilities = ops.softmax(ops.concat([past, own], 4, 'S+T'));
  const split = ops.shape(context.mask, 4, 5);
  const start = graph.integers([0]);
  const end = graph.integers([Number.MAX_SAFE_INTEGER]);
  const toPast = ops.matMul(ops.sliceBetween(probabilities, 4, start, split, 'S'), values);
  const ownProbabilities = ops.sliceBetween(probabilities, 4, split, end, kind === 'decode' ? 1 : 'T');
  const toOwn = kind === 'decode' ? ops.mul(ownProbabilities, ownValue) : ops.matMul(ownProbabilities, ownValue);
  const attended = ops.add(toPast, toOwn);
  const flat = kind === 'decode' ? ops.reshape(attended, ['N', heads * headDim]) : unfoldGroups(context, attended);
  return ops.linear(flat, context.weight(layerNames(layer).output));
}

/** [B, kv, T, headDim] → [B, kv, 1, T, headDim] */
function stackable({ config: { kvHeadCount, headDim }, kind }: Context, x: Value): Value {
  return ops.reshapeTo(x, x.graph.integers([0, kvHeadCount, 1, -1, headDim]), ['B', kvHeadCount, 1, kind === 'decode' ? 1 : 'T', headDim]);
}

/** Within a chunk a token sees those before it: adds the causal mask to [B, kv, 1, group · T, T]. One token needs none. */
function ownScores(context: Context, scores: Value): Value {
  const { ownMask, config } = context;
  if (ownMask === null) return scores;
  const { kvHeadCount: kvHeads, headCount: heads } = config;
  const group = heads / kvHeads;
  const perGroup = ops.reshapeTo(scores, ownShape(context, [kvHeads, group, -1]), ['B', kvHeads, group, 'T', 'T']);
  return ops.reshapeTo(ops.add(perGroup, ownMask), ownShape(context, [kvHeads, 1, -1]), ['B', kvHeads, 1, 'group·T', 'T']);
}

/** [B, …inner, T] as an int64 value; an inner −1 is inferred. */
function ownShape(context: Context, inner: readonly number[]): Value {
  const { graph, positions } = context;
  return ops.concat([ops.shape(positions, 0, 1), graph.integers(inner), ops.shape(positions, 1, 2)], 0);
}

/** [B, T, …inner] as an int64 value. */
function rowShape(context: Context, inner: readonly number[]): Value {
  return ops.concat([ops.shape(context.positions), context.graph.integers(inner)], 0);
}

/** [B, heads, T, headDim] → queries that share a key side by side; several of a token's chunk lie in one matrix. */
function foldGroups(query: Value, config: ModelConfig, kind: 'prefill' | 'decode'): Value {
  const { headCount: heads, kvHeadCount: kvHeads, headDim } = config;
  if (kind === 'decode') return ops.reshape(query, ['B', kvHeads, heads / kvHeads, 1, headDim]);
  const target = query.graph.integers([0, kvHeads, 1, -1, headDim]);
  return ops.reshapeTo(query, target, ['B', kvHeads, 1, 'group·T', headDim]);
}

/** [B, kv, 1, group · T, headDim] → [N, heads · headDim] */
function unfoldGroups(context: Context, attended: Value): Value {
  const { headCount: heads, headDim } = context.config;
  const perHead = ops.reshapeTo(attended, context.graph.integers([0, heads, -1, headDim]), ['B', heads, 'T', headDim]);
  const perToken = ops.transpose(perHead, [0, 2, 1, 3]);
  return ops.reshapeTo(perToken, context.graph.integers([-1, heads * headDim]), ['N', heads * headDim]);
}

function feedForward(context: Context, x: Value, layer: number): Value {
  const { config, weight, packed } = context;
  const names = layerNames(layer);
  const normed = ops.simplifiedLayerNormalization(x, weight(names.attentionNorm), config.rmsNormEps);
  const bias = config.feedForwardBias ? packed(`layers.${layer}.gate_up.bias`, [names.gateBias, names.upBias]) : undefined;
  const joined = ops.linear(normed, packed(`layers.${layer}.gate_up.weight`, [names.gate, names.up]), bias);
  const [gate, up] = ops.split(joined, [config.intermediateSize, config.intermediateSize], 1) as [Value, Value];
  return ops.linear(ops.mul(ops.quickGelu(gate), up), weight(names.down), config.feedForwardBias ? weight(names.downBias) : undefined);
}

/** [B, kv, T, headDim] → [B, kv · T · headDim] */
function flatPerRow(x: Value, config: ModelConfig): Value {
  return ops.reshapeTo(x, x.graph.integers([0, -1]), ['B', `${config.kvHeadCount * config.headDim}·T`]);
}

function tensorOf(weights: Weights, name: string): Tensor {
  const tensor = weights.get(name);
  if (tensor === undefined)
    throw new Error(`decoding graph: expected a tensor ${name}, got none of that name among ${weights.size}; is the model's type supported?`);
  return tensor;
}

/** Tensors one below the other along their first axis. */
function stacked(parts: readonly Tensor[]): Tensor {
  const first = parts[0] as Tensor;
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] as number), 0);
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  return { shape: [rows, ...first.shape.slice(1)], data };
}
