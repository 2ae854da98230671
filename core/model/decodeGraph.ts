/**
 * @file The two graphs that generate: `prefill` computes the keys and values of T given tokens a row, `decode` those of one token and its logits.
 * The weights are initializers, packed once per policy version. Keys and values lie in caches that are padded to multiples of 32 and masked;
 * new ones are outputs, written into the cache by the caller. So a row's numbers depend on its own tokens only: not on the rows beside it,
 * nor on how far a cache is padded.
 */
import { Graph } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import { type AttentionInputs, type CachedAttention, chunkAttention, tokenAttention } from './cachedAttention.ts';
import type { ModelConfig, Tensor, Weights } from './config.ts';
import { bitsOf, quantisationBlock, quantised, type WeightPrecision } from './quantisation.ts';
import { rotaryTables } from './rotary.ts';
import { withScaledQueries } from './scaledQueries.ts';
import { embeddingName, finalNormName, headName, layerNames } from './tensorNames.ts';

/** Positions in a cache come in multiples of this; prefill chunks are aligned to it. */
export const cacheBlock = 32;

/** Inputs of `prefill`, with B rows, T tokens a row, S cache slots:
 *  tokens, positions int64 [B, T], mask [B, 1, 1, S] (0 or `masked`), ownMask [1, 1, 1, T, T],
 *  keys.l and values.l [B, kv, S, headDim].
 *  Output: kv [B, 2 L kv, T, headDim] (per layer keys, then values).
 *
 *  Inputs of `decode`, with B rows, C contexts of P slots, R seats at each (what rows have in common is stored once), S slots for what they sampled:
 *  tokens, positions int64 [B, 1], mask [B, 1, 1, 1, P + S + 1] (0 or `masked`; the last for the token itself), parts int64 [3] (P, S, 1),
 *  contextKeys.l and contextValues.l [C, kv, P, headDim], keys.l and values.l [B, kv, 1, S, headDim],
 *  toSeats int64 [C, kv, R · group, 4] (row, key head and group of the query that sits there, 0), toRows int64 [B, kv, group, 1, 3] (the seat of a query).
 *  Without contexts what belongs to them is left out: their caches, toSeats, toRows and the first of the parts.
 *  Outputs: kv as above with T = 1, logits [B, V]. */
export function prefillGraph(config: ModelConfig, weights: Weights, precision: WeightPrecision = 'float32'): Graph {
  return buildGraph(config, weights, 'prefill', precision);
}

export function decodeGraph(config: ModelConfig, weights: Weights, precision: WeightPrecision = 'float32', withContexts = true): Graph {
  return buildGraph(config, weights, withContexts ? 'decode' : 'decodeWithoutContexts', precision);
}

/** `decodeWithoutContexts`: where P is 0, with the same numbers. */
type GraphKind = 'prefill' | 'decode' | 'decodeWithoutContexts';

interface Context {
  readonly graph: Graph;
  readonly config: ModelConfig;
  readonly kind: GraphKind;
  readonly weight: (name: string) => Value;
  readonly packed: (name: string, parts: readonly string[]) => Value;
  /** x Wᵀ + bias, W made of matrices one below the other. */
  readonly linear: (x: Value, name: string, parts: readonly string[], bias?: Value) => Value;
  readonly positions: Value;
  readonly cosine: Value;
  readonly sine: Value;
  readonly attention: CachedAttention;
}

function buildGraph(config: ModelConfig, weights: Weights, kind: GraphKind, precision: WeightPrecision): Graph {
  const graph = new Graph();
  const context = contextOf(graph, config, kind === 'prefill' ? weights : withScaledQueries(config, weights), kind, precision);
  const tokens = graph.input('tokens', 'int64', ['B', kind === 'prefill' ? 'T' : 1]);
  const embedding = context.weight(embeddingName);
  let stream: Stream = { sum: ops.reshape(ops.gather(embedding, tokens), ['N', config.hiddenSize]), added: null };
  const cached: Value[] = [];
  for (let layer = 0; layer < config.layerCount; layer++) {
    graph.scope = `layers.${layer}/`;
    const names = layerNames(layer);
    const beforeAttention = normalised(context, stream, names.inputNorm);
    const inputs = attentionInputs(context, beforeAttention.normed, layer);
    cached.push(inputs.key, inputs.value);
    // Prefill wants keys and values alone: what the last layer does with them is never computed.
    if (kind === 'prefill' && layer === config.layerCount - 1) break;
    const { sum, normed } = normalised(context, { sum: beforeAttention.sum, added: attend(context, inputs, layer) }, names.attentionNorm);
    stream = { sum, added: feedForward(context, normed, layer) };
  }
  graph.scope = 'head/';
  if (kind !== 'prefill') {
    const { normed } = normalised(context, stream, finalNormName);
    graph.output('logits', context.linear(normed, 'head.weight', [headName(config)]));
  }
  graph.output('kv', ops.concat(cached, 1));
  return graph;
}

/** The residual stream [N, D], and what is still to be added to it: one kernel adds and normalises. */
interface Stream {
  readonly sum: Value;
  readonly added: Value | null;
}

function normalised({ config, weight }: Context, { sum, added }: Stream, norm: string): { sum: Value; normed: Value } {
  if (added === null) return { sum, normed: ops.simplifiedLayerNormalization(sum, weight(norm), config.rmsNormEps) };
  return ops.skipSimplifiedLayerNormalization(sum, added, weight(norm), config.rmsNormEps);
}

function contextOf(graph: Graph, config: ModelConfig, weights: Weights, kind: GraphKind, precision: WeightPrecision): Context {
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
  const linear: Context['linear'] = (x, name, parts, bias) => {
    if (precision !== 'float32') return quantisedLinear(x, name, stacked(parts.map((part) => tensorOf(weights, part))), bitsOf[precision], bias);
    return ops.linear(x, parts.length === 1 ? weight(parts[0] as string) : packed(name, parts), bias);
  };
  const tables = rotaryTables(config, config.maxPositions);
  const table = (name: string, data: Float32Array) => graph.initializer(name, 'float32', [config.maxPositions, config.headDim / 2], data);
  const positions = graph.input('positions', 'int64', ['B', kind === 'prefill' ? 'T' : 1]);
  return {
    graph,
    config,
    kind,
    weight,
    packed,
    linear,
    positions,
    cosine: table('cosine', tables.cosine),
    sine: table('sine', tables.sine),
    attention: kind === 'prefill' ? chunkAttention(graph, config, positions) : tokenAttention(graph, config, kind === 'decode'),
  };
}

/** [N, D] → rotated queries and keys, and values. */
function attentionInputs(context: Context, normed: Value, layer: number): AttentionInputs {
  const { config, kind } = context;
  const { headCount: heads, kvHeadCount: kvHeads, headDim } = config;
  const all = heads + 2 * kvHeads;
  const names = layerNames(layer);
  const bias = config.attentionBias ? context.packed(`layers.${layer}.qkv.bias`, [names.queryBias, names.keyBias, names.valueBias]) : undefined;
  const joined = context.linear(normed, `layers.${layer}.qkv.weight`, [names.query, names.key, names.value], bias);
  const perHead =
    kind === 'prefill'
      ? ops.transpose(ops.reshapeTo(joined, rowShape(context, [all, headDim]), ['B', 'T', all, headDim]), [0, 2, 1, 3])
      : ops.reshape(joined, ['B', all, 1, headDim]);
  const [query, key, value] = rotated(context, perHead, layer);
  return { query, key, value };
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

/** Attention, projected back: [N, D]. */
function attend({ attention, config, weight, linear }: Context, inputs: AttentionInputs, layer: number): Value {
  const names = layerNames(layer);
  return linear(attention(inputs, layer), names.output, [names.output], config.outputBias ? weight(names.outputBias) : undefined);
}

/** [B, T, …inner] as an int64 value. */
function rowShape(context: Context, inner: readonly number[]): Value {
  return ops.concat([ops.shape(context.positions), context.graph.integers(inner)], 0);
}

function feedForward({ config, weight, linear }: Context, normed: Value, layer: number): Value {
  const names = layerNames(layer);
  const bias = (name: string) => (config.feedForwardBias ? weight(name) : undefined);
  // Two products: halves of one would have to be copied apart, which takes longer than a second call.
  const gate = linear(normed, names.gate, [names.gate], bias(names.gateBias));
  const up = linear(normed, names.up, [names.up], bias(names.upBias));
  return linear(ops.mul(ops.quickGelu(gate), up), names.down, [names.down], bias(names.downBias));
}

function quantisedLinear(x: Value, name: string, matrix: Tensor, bits: 8 | 4, bias: Value | undefined): Value {
  const { graph } = x;
  const { codes, scales, blockCount } = quantised(matrix, bits);
  const rows = matrix.shape[0] as number;
  const codeValues = graph.initializer(`${name}.codes`, 'uint8', [rows, blockCount, codes.length / (rows * blockCount)], codes);
  const scaleValues = graph.initializer(`${name}.scales`, 'float32', [rows, blockCount], scales);
  const product = ops.matMulNBits(x, codeValues, scaleValues, { bits, block: quantisationBlock });
  return bias === undefined ? product : ops.add(product, bias);
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
