/**
 * @file One graph for other programs: all logits of new tokens after any number of cached ones, none included. Inputs and outputs have the
 * names that exporters of Hugging Face models use; the weights stay in the safetensors file beside it.
 */
import { Graph } from '../graph/graph.ts';
import * as ops from '../graph/ops.ts';
import type { StoredData, Value } from '../graph/types.ts';
import { masked } from './cachedAttention.ts';
import type { ModelConfig } from './config.ts';
import { rotaryTables } from './rotary.ts';
import { embeddingName, finalNormName, headName, layerNames, tensorShapes } from './tensorNames.ts';

interface Context {
  readonly graph: Graph;
  readonly config: ModelConfig;
  readonly weight: (name: string) => Value;
  /** Undefined where the architecture has no such bias. */
  readonly bias: (name: string) => Value | undefined;
  readonly tokens: Value;
  readonly positions: Value;
  /** S, as an int64 value of one element. */
  readonly total: Value;
  /** [B, 1, T, S]: 0, or `masked`. */
  readonly mask: Value;
  readonly cosine: Value;
  readonly sine: Value;
}

/**
 * With B rows, T new tokens a row, P cached ones (0 at first), S = P + T:
 * input_ids int64 [B, T], position_ids int64 [B, T], attention_mask int64 [B, S] (0: not seen), past_key_values.l.key and .value
 * float32 [B, kv, P, headDim] → logits float32 [B, T, V], present.l.key and .value float32 [B, kv, S, headDim].
 */
export function exportGraph(config: ModelConfig, stored: (name: string) => StoredData): Graph {
  const graph = new Graph();
  const context = contextOf(graph, config, stored);
  const { hiddenSize, layerCount, vocabSize } = config;
  let x = ops.reshape(ops.gather(context.weight(embeddingName), context.tokens), ['N', hiddenSize]);
  const present: [string, Value][] = [];
  for (let layer = 0; layer < layerCount; layer++) {
    graph.scope = `layers.${layer}/`;
    const names = layerNames(layer);
    const normed = ops.simplifiedLayerNormalization(x, context.weight(names.inputNorm), config.rmsNormEps);
    const { query, key, value } = attentionInputs(context, normed, layer);
    present.push([`present.${layer}.key`, key], [`present.${layer}.value`, value]);
    x = ops.add(x, ops.linear(attend(context, query, key, value), context.weight(names.output), context.bias(names.outputBias)));
    x = ops.add(x, feedForward(context, x, layer));
  }
  graph.scope = 'head/';
  const normed = ops.simplifiedLayerNormalization(x, context.weight(finalNormName), config.rmsNormEps);
  const logits = ops.linear(normed, context.weight(headName(config)));
  graph.output('logits', ops.reshapeTo(logits, perToken(context, [vocabSize]), ['B', 'T', vocabSize]));
  for (const [name, cache] of present) graph.output(name, cache);
  return graph;
}

function contextOf(graph: Graph, config: ModelConfig, stored: (name: string) => StoredData): Context {
  const shapes = tensorShapes(config);
  const weight = (name: string) => graph.shared(name, () => graph.storedInitializer(name, shapes.get(name) as readonly number[], stored(name)));
  const tokens = graph.input('input_ids', 'int64', ['B', 'T']);
  const positions = graph.input('position_ids', 'int64', ['B', 'T']);
  const seen = graph.input('attention_mask', 'int64', ['B', 'S']);
  const total = ops.shape(seen, 1, 2);
  const tables = rotaryTables(config, config.maxPositions);
  const table = (name: string, data: Float32Array) => graph.initializer(name, 'float32', [config.maxPositions, config.headDim / 2], data);
  const mask = maskOf(graph, config, tokens, seen, total);
  const [cosine, sine] = [table('cosine', tables.cosine), table('sine', tables.sine)];
  return { graph, config, weight, bias: (name) => (shapes.has(name) ? weight(name) : undefined), tokens, positions, total, mask, cosine, sine };
}

/** A token sees itself and what is before it, as far as the attention mask has it. */
function maskOf(graph: Graph, config: ModelConfig, tokens: Value, seen: Value, total: Value): Value {
  const count = config.maxPositions;
  const counting = graph.initializer(
    'counting',
    'int64',
    [count],
    BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
  );
  const first = ops.sub(total, ops.shape(tokens, 1, 2));
  const keys = ops.sliceBetween(counting, 0, graph.integers([0]), total, 'S');
  const queries = ops.reshapeTo(ops.sliceBetween(counting, 0, first, total, 'T'), graph.integers([-1, 1]), ['T', 1]);
  const isSeen = ops.equal(ops.reshapeTo(seen, graph.integers([0, 1, 1, -1]), ['B', 1, 1, 'S']), graph.constant(1, 'int64'));
  const visible = ops.and(ops.lessOrEqual(keys, queries), isSeen);
  return ops.where(visible, graph.constant(0, 'float32'), graph.constant(masked, 'float32'));
}

/** Rotated queries of the new tokens [B, heads, T, headDim]; keys and values of all, [B, kv, S, headDim]. */
function attentionInputs(context: Context, normed: Value, layer: number): { query: Value; key: Value; value: Value } {
  const { graph, config, weight, bias, positions, cosine, sine } = context;
  const names = layerNames(layer);
  const split = (x: Value, heads: number) => ops.reshapeTo(x, perToken(context, [heads, config.headDim]), ['B', 'T', heads, config.headDim]);
  const heads = (x: Value) => ops.transpose(x, [0, 2, 1, 3]);
  const norm = (x: Value, name: string) => (config.queryKeyNorm ? ops.simplifiedLayerNormalization(x, weight(name), config.rmsNormEps) : x);
  const rotate = (x: Value) => ops.rotaryEmbedding(x, positions, cosine, sine);
  const query = norm(split(ops.linear(normed, weight(names.query), bias(names.queryBias)), config.headCount), names.queryNorm);
  const key = norm(split(ops.linear(normed, weight(names.key), bias(names.keyBias)), config.kvHeadCount), names.keyNorm);
  const value = split(ops.linear(normed, weight(names.value), bias(names.valueBias)), config.kvHeadCount);
  const past = (kind: 'key' | 'value') => graph.input(`past_key_values.${layer}.${kind}`, 'float32', ['B', config.kvHeadCount, 'P', config.headDim]);
  // Before any product: none has a side of length 0, which ends the process.
  const joined = (kind: 'key' | 'value', x: Value) => ops.concat([past(kind), x], 2, 'S');
  return { query: rotate(heads(query)), key: joined('key', rotate(heads(key))), value: joined('value', heads(value)) };
}

/** → [N, heads · headDim] */
function attend(context: Context, query: Value, key: Value, value: Value): Value {
  const { graph, config, tokens, total, mask } = context;
  const { headCount, kvHeadCount, headDim } = config;
  // Queries that share a key lie in one matrix.
  const folded = ops.reshapeTo(query, graph.integers([0, kvHeadCount, -1, headDim]), ['B', kvHeadCount, 'group·T', headDim]);
  const scores = ops.fusedMatMul(folded, key, { transB: true, alpha: 1 / Math.sqrt(headDim) });
  const byHead = ops.concat([ops.shape(tokens, 0, 1), graph.integers([headCount]), ops.shape(tokens, 1, 2), total], 0);
  const probabilities = ops.softmax(ops.add(ops.reshapeTo(scores, byHead, ['B', headCount, 'T', 'S']), mask));
  const byGroup = ops.concat([ops.shape(tokens, 0, 1), graph.integers([kvHeadCount, -1]), total], 0);
  const attended = ops.matMul(ops.reshapeTo(probabilities, byGroup, ['B', kvHeadCount, 'group·T', 'S']), value);
  const heads = ops.reshapeTo(attended, graph.integers([0, headCount, -1, headDim]), ['B', headCount, 'T', headDim]);
  return ops.reshapeTo(ops.transpose(heads, [0, 2, 1, 3]), graph.integers([-1, headCount * headDim]), ['N', headCount * headDim]);
}

function feedForward({ config, weight, bias }: Context, x: Value, layer: number): Value {
  const names = layerNames(layer);
  const normed = ops.simplifiedLayerNormalization(x, weight(names.attentionNorm), config.rmsNormEps);
  const gate = ops.linear(normed, weight(names.gate), bias(names.gateBias));
  const up = ops.linear(normed, weight(names.up), bias(names.upBias));
  return ops.linear(ops.mul(ops.quickGelu(gate), up), weight(names.down), bias(names.downBias));
}

/** [B, T, …inner] as an int64 value. */
function perToken({ graph, tokens }: Context, inner: readonly number[]): Value {
  return ops.concat([ops.shape(tokens), graph.integers(inner)], 0);
}
