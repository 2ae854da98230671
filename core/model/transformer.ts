/**
 * @file The decoder-only transformer as graph values: RMSNorm, rotary positions, grouped-query attention, SwiGLU (Qwen2, Qwen3, Llama).
 * Axes: N tokens, B rows, T tokens of the longest row, R trained tokens, D width, V vocabulary.
 */
import { collectRows, spreadRows } from '../graph/grids.ts';
import { causalAttention, gatherRows, rmsNorm, rope, swiglu } from '../graph/macros.ts';
import * as op from '../graph/ops.ts';
import { prefixedAttention } from '../graph/prefixedAttention.ts';
import type { Dim, Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';
import { factorNames } from './lora.ts';
import type { RowLayout } from './rowLayout.ts';
import { embeddingName, finalNormName, headName, layerNames } from './tensorNames.ts';

/** The model's tensors as graph values. */
export type Parameters = ReadonlyMap<string, Value>;

export function parameter(parameters: Parameters, name: string): Value {
  const value = parameters.get(name);
  if (!value) throw new Error(`parameter ${name}: not among the ${parameters.size} tensors of the model`);
  return value;
}

/** x Wᵀ + bias where the architecture has one, and (x Aᵀ) Bᵀ where an adapter lies on W. */
function project(x: Value, parameters: Parameters, weight: string, bias: string): Value {
  const y = op.linear(x, parameter(parameters, weight), parameters.get(bias));
  const { a, b } = factorNames(weight);
  const [factorA, factorB] = [parameters.get(a), parameters.get(b)];
  return factorA && factorB ? op.gemm(op.linear(x, factorA), factorB, { transB: true, c: y }) : y;
}

/** Rows of the embedding, [count, D]. The gradient stops here: see trainingGraph.ts. */
export function embed(parameters: Parameters, tokens: Value, config: ModelConfig, count: number | string): Value {
  const table = parameter(parameters, embeddingName);
  return table.graph.unrecorded(() => op.reshape(op.gather(table, tokens), [count, config.hiddenSize]));
}

/** [N, D] → [N, 2 or 3 projections], each with its bias where the architecture has one. */
function queryKeyValue(x: Value, parameters: Parameters, layer: number): { query: Value; key: Value; value: Value } {
  const names = layerNames(layer);
  return {
    query: project(x, parameters, names.query, names.queryBias),
    key: project(x, parameters, names.key, names.keyBias),
    value: project(x, parameters, names.value, names.valueBias),
  };
}

/** RMSNorm over the last axis of per-head queries or keys, where the architecture has one (Qwen3). */
function headNorm(x: Value, parameters: Parameters, name: string, config: ModelConfig): Value {
  const weight = parameters.get(name);
  return weight ? rmsNorm(x, weight, config.rmsNormEps) : x;
}

function attentionOutput(attended: Value, parameters: Parameters, layer: number): Value {
  const names = layerNames(layer);
  return project(attended, parameters, names.output, names.outputBias);
}

/** x + down(silu(gate(norm x)) · up(norm x)) */
export function feedForward(x: Value, parameters: Parameters, layer: number, config: ModelConfig): Value {
  const names = layerNames(layer);
  const normed = rmsNorm(x, parameter(parameters, names.attentionNorm), config.rmsNormEps);
  const activated = swiglu(project(normed, parameters, names.gate, names.gateBias), project(normed, parameters, names.up, names.upBias));
  return op.add(x, project(activated, parameters, names.down, names.downBias));
}

export function logitsOf(x: Value, parameters: Parameters, config: ModelConfig): Value {
  const normed = rmsNorm(x, parameter(parameters, finalNormName), config.rmsNormEps);
  return op.linear(normed, parameter(parameters, headName(config)));
}

/** Embedded tokens [N, D] → logits [R, V] of the trained ones, for whole rows with causal attention. */
export function decoderLogits(embedded: Value, parameters: Parameters, config: ModelConfig, layout: RowLayout): Value {
  const { graph } = embedded;
  let x = embedded;
  for (let layer = 0; layer < config.layerCount; layer++) {
    graph.scope = `layers.${layer}/`;
    x = decoderLayer(x, parameters, layer, config, layout, layer === config.layerCount - 1);
  }
  graph.scope = 'head/';
  return logitsOf(x, parameters, config);
}

/** [N, D] → [N, D], or [R, D] in the last layer: above the last attention no token looks at another, so what is not trained ends there. */
export function decoderLayer(x: Value, parameters: Parameters, layer: number, config: ModelConfig, layout: RowLayout, isLast: boolean): Value {
  const keep = (rows: Value) => (isLast ? gatherRows(rows, layout.trained) : rows);
  const attended = keep(selfAttention(x, parameters, layer, config, layout));
  return feedForward(op.add(keep(x), attentionOutput(attended, parameters, layer)), parameters, layer, config);
}

/** [N, D] → [N, heads · headDim], before the output projection. */
function selfAttention(x: Value, parameters: Parameters, layer: number, config: ModelConfig, layout: RowLayout): Value {
  const names = layerNames(layer);
  const { headCount, kvHeadCount, headDim } = config;
  const { tokenCount, tables, queryPlaces, keyPlaces } = layout;
  const normed = rmsNorm(x, parameter(parameters, names.inputNorm), config.rmsNormEps);
  const { query, key, value } = queryKeyValue(normed, parameters, layer);
  const split = (projected: Value, heads: number) => op.reshape(projected, [tokenCount, heads, 1, headDim]);
  const q = spreadRows(rope(headNorm(split(query, headCount), parameters, names.queryNorm, config), tables), queryPlaces);
  const k = spreadRows(rope(headNorm(split(key, kvHeadCount), parameters, names.keyNorm, config), tables), keyPlaces);
  const v = spreadRows(split(value, kvHeadCount), keyPlaces);
  return op.reshape(collectRows(attendedGrids(q, k, v, config, layout), queryPlaces), [tokenCount, headCount * headDim]);
}

/** Rows attend to themselves; what siblings have of their own, to their row as well. */
function attendedGrids(q: readonly Value[], k: readonly Value[], v: readonly Value[], config: ModelConfig, layout: RowLayout): Value[] {
  const { length, positions, blockStarts, suffixes } = layout;
  const { headCount, kvHeadCount, headDim } = config;
  const [query, key, value] = [q[0] as Value, k[0] as Value, v[0] as Value];
  const scale = 1 / Math.sqrt(headDim);
  const attended = [causalAttention(query, key, value, positions, scale, { starts: blockStarts, length })];
  if (suffixes === null) return attended;
  const ofPrefix = (x: Value) => op.reshape(x, [x.shape[0] as Dim, kvHeadCount, 1, length, headDim]);
  const inputs = { query: q[1] as Value, key: k[1] as Value, value: v[1] as Value, prefixKey: ofPrefix(key), prefixValue: ofPrefix(value) };
  const masks = { prefix: suffixes.prefixMask, positions: suffixes.positions, group: headCount / kvHeadCount };
  return [...attended, prefixedAttention(inputs, masks, scale)];
}
