/**
 * @file The decoder-only transformer as graph values: RMSNorm, rotary positions, grouped-query attention, SwiGLU (Qwen2, Qwen3, Llama).
 * Axes: B rows, T tokens, N = B · T, D width, V vocabulary. The pieces serve training (whole rows) and decoding (one token) alike.
 */
import type { Graph } from '../graph/graph.ts';
import { causalAttention, rmsNorm, rope, swiglu } from '../graph/macros.ts';
import type { RopeTables } from '../graph/macroTypes.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig, Weights } from './config.ts';
import { ropeTables } from './rotary.ts';
import { embeddingName, finalNormName, headName, layerNames, tensorShapes } from './tensorNames.ts';

/** The model's tensors as graph values. */
export type Parameters = ReadonlyMap<string, Value>;

/** Weights fed at every run: they change between runs. */
export function parameterInputs(graph: Graph, config: ModelConfig): Parameters {
  return new Map(Array.from(tensorShapes(config), ([name, shape]) => [name, graph.input(name, 'float32', shape)]));
}

/** Weights baked in: pre-packed once, for sessions that serve one policy version. */
export function parameterInitializers(graph: Graph, config: ModelConfig, weights: Weights): Parameters {
  return new Map(
    Array.from(tensorShapes(config), ([name, shape]) => {
      const tensor = weights.get(name);
      if (!tensor) throw new Error(`parameterInitializers: expected a tensor ${name}, found none`);
      return [name, graph.initializer(name, 'float32', shape, tensor.data)];
    }),
  );
}

export function parameter(parameters: Parameters, name: string): Value {
  const value = parameters.get(name);
  if (!value) throw new Error(`parameter ${name}: not among the ${parameters.size} tensors of the model`);
  return value;
}

/** Rows of the embedding for tokens of any shape, flattened to [count, D]. The gradient stops here: see trainingGraph.ts. */
export function embed(parameters: Parameters, tokens: Value, config: ModelConfig, count: number | string): Value {
  const table = parameter(parameters, embeddingName);
  return table.graph.unrecorded(() => op.reshape(op.gather(table, tokens), [count, config.hiddenSize]));
}

/** [N, D] → [N, 2 or 3 projections], each with its bias where the architecture has one. */
export function queryKeyValue(x: Value, parameters: Parameters, layer: number): { query: Value; key: Value; value: Value } {
  const names = layerNames(layer);
  const project = (weight: string, bias: string) => op.linear(x, parameter(parameters, weight), parameters.get(bias));
  return {
    query: project(names.query, names.queryBias),
    key: project(names.key, names.keyBias),
    value: project(names.value, names.valueBias),
  };
}

/** RMSNorm over the last axis of per-head queries or keys, where the architecture has one (Qwen3). */
export function headNorm(x: Value, parameters: Parameters, name: string, config: ModelConfig): Value {
  const weight = parameters.get(name);
  return weight ? rmsNorm(x, weight, config.rmsNormEps) : x;
}

export function attentionOutput(attended: Value, parameters: Parameters, layer: number): Value {
  return op.linear(attended, parameter(parameters, layerNames(layer).output));
}

/** x + down(silu(gate(norm x)) · up(norm x)) */
export function feedForward(x: Value, parameters: Parameters, layer: number, config: ModelConfig): Value {
  const names = layerNames(layer);
  const normed = rmsNorm(x, parameter(parameters, names.attentionNorm), config.rmsNormEps);
  const activated = swiglu(op.linear(normed, parameter(parameters, names.gate)), op.linear(normed, parameter(parameters, names.up)));
  return op.add(x, op.linear(activated, parameter(parameters, names.down)));
}

export function logitsOf(x: Value, parameters: Parameters, config: ModelConfig): Value {
  const normed = rmsNorm(x, parameter(parameters, finalNormName), config.rmsNormEps);
  return op.linear(normed, parameter(parameters, headName(config)));
}

export interface RowsShape {
  readonly rows: number; // B
  readonly length: number; // T
}

/** Embedded tokens [N, D] → logits [N, V] for whole rows with causal attention. */
export function decoderLogits(embedded: Value, parameters: Parameters, config: ModelConfig, shape: RowsShape): Value {
  const { graph } = embedded;
  const tables = ropeTables(graph, config, shape.length);
  let x = embedded;
  for (let layer = 0; layer < config.layerCount; layer++) {
    graph.scope = `layers.${layer}/`;
    x = feedForward(selfAttention(x, parameters, layer, config, shape, tables), parameters, layer, config);
  }
  graph.scope = 'head/';
  return logitsOf(x, parameters, config);
}

function selfAttention(x: Value, parameters: Parameters, layer: number, config: ModelConfig, { rows, length }: RowsShape, tables: RopeTables): Value {
  const names = layerNames(layer);
  const { headCount, kvHeadCount, headDim } = config;
  const normed = rmsNorm(x, parameter(parameters, names.inputNorm), config.rmsNormEps);
  const { query, key, value } = queryKeyValue(normed, parameters, layer);
  const split = (projected: Value, heads: number) => op.reshape(projected, [rows, length, heads, headDim]);
  const toHeads = (byToken: Value) => op.transpose(byToken, [0, 2, 1, 3]);
  const q = rope(toHeads(headNorm(split(query, headCount), parameters, names.queryNorm, config)), tables);
  const k = rope(toHeads(headNorm(split(key, kvHeadCount), parameters, names.keyNorm, config)), tables);
  const v = toHeads(split(value, kvHeadCount));
  const grouped = op.reshape(q, [rows, kvHeadCount, headCount / kvHeadCount, length, headDim]);
  const attended = op.reshape(causalAttention(grouped, k, v, 1 / Math.sqrt(headDim), attentionBlockRows(length)), [rows, headCount, length, headDim]);
  const joined = op.reshape(op.transpose(attended, [0, 2, 1, 3]), [rows * length, headCount * headDim]);
  return op.add(x, attentionOutput(joined, parameters, layer));
}

/** Rows of queries taken at once: small enough to skip much above the diagonal, large enough for efficient products (measured: bench/training.ts). */
function attentionBlockRows(length: number): number {
  return length >= 256 ? 128 : length;
}
