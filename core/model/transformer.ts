/**
 * @file The decoder-only transformer as graph values: RMSNorm, rotary positions, grouped-query attention, SwiGLU (Qwen2, Qwen3, Llama).
 * Axes: N tokens, B rows, T tokens of the longest row, R trained tokens, D width, V vocabulary.
 */
import { causalAttention, gatherRows, rmsNorm, rope, swiglu } from '../graph/macros.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';
import { factorNames } from './lora.ts';
import { offGrid, type RowLayout } from './rowLayout.ts';
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
    // Above the last attention no token looks at another: what is not trained ends there.
    const keep = layer === config.layerCount - 1 ? (rows: Value) => gatherRows(rows, layout.trained) : (rows: Value) => rows;
    const attended = keep(selfAttention(x, parameters, layer, config, layout));
    x = feedForward(op.add(keep(x), attentionOutput(attended, parameters, layer)), parameters, layer, config);
  }
  graph.scope = 'head/';
  return logitsOf(x, parameters, config);
}

/** [N, D] → [N, heads · headDim], before the output projection. */
function selfAttention(x: Value, parameters: Parameters, layer: number, config: ModelConfig, layout: RowLayout): Value {
  const names = layerNames(layer);
  const { headCount, kvHeadCount, headDim } = config;
  const { tokenCount, rows, length, tables, positions, queryGrid, keyGrid } = layout;
  const normed = rmsNorm(x, parameter(parameters, names.inputNorm), config.rmsNormEps);
  const { query, key, value } = queryKeyValue(normed, parameters, layer);
  const split = (projected: Value, heads: number) => op.reshape(projected, [tokenCount, heads, headDim]);
  const q = rope(gatherRows(headNorm(split(query, headCount), parameters, names.queryNorm, config), queryGrid), tables);
  const k = rope(gatherRows(headNorm(split(key, kvHeadCount), parameters, names.keyNorm, config), keyGrid), tables);
  const v = gatherRows(split(value, kvHeadCount), keyGrid);
  const grouped = op.reshape(q, [rows, kvHeadCount, headCount / kvHeadCount, length, headDim]);
  const attended = causalAttention(grouped, k, v, positions, 1 / Math.sqrt(headDim), { starts: layout.blockStarts, length });
  const byHead = op.reshape(attended, [rows, headCount, length, headDim]);
  return op.reshape(offGrid(byHead, queryGrid), [tokenCount, headCount * headDim]);
}
