/** @file Hugging Face's tensor names and shapes, in the order of the model. */
import type { ModelConfig } from './config.ts';

export const embeddingName = 'model.embed_tokens.weight';
export const finalNormName = 'model.norm.weight';

/** The tensor that turns hidden states into logits. */
export function headName(config: ModelConfig): string {
  return config.tieWordEmbeddings ? embeddingName : 'lm_head.weight';
}

/** The layer that a tensor, or an adapter's factor beside it, belongs to; undefined: embedding, final norm, head. */
export function layerOf(name: string): number | undefined {
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  return layer === undefined ? undefined : Number(layer);
}

/** The same tensor of another layer. */
export function inLayer(name: string, layer: number): string {
  return name.replace(/\.layers\.\d+\./, `.layers.${layer}.`);
}

/** Names of one layer's tensors; those that the architecture lacks are simply not in `tensorShapes`. */
export function layerNames(layer: number) {
  const name = (rest: string) => `model.layers.${layer}.${rest}`;
  return {
    inputNorm: name('input_layernorm.weight'),
    query: name('self_attn.q_proj.weight'),
    key: name('self_attn.k_proj.weight'),
    value: name('self_attn.v_proj.weight'),
    queryBias: name('self_attn.q_proj.bias'),
    keyBias: name('self_attn.k_proj.bias'),
    valueBias: name('self_attn.v_proj.bias'),
    queryNorm: name('self_attn.q_norm.weight'),
    keyNorm: name('self_attn.k_norm.weight'),
    output: name('self_attn.o_proj.weight'),
    outputBias: name('self_attn.o_proj.bias'),
    attentionNorm: name('post_attention_layernorm.weight'),
    gate: name('mlp.gate_proj.weight'),
    up: name('mlp.up_proj.weight'),
    down: name('mlp.down_proj.weight'),
    gateBias: name('mlp.gate_proj.bias'),
    upBias: name('mlp.up_proj.bias'),
    downBias: name('mlp.down_proj.bias'),
  } as const;
}

export function tensorShapes(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([[embeddingName, [config.vocabSize, config.hiddenSize]]]);
  for (let layer = 0; layer < config.layerCount; layer++) addLayerShapes(shapes, config, layer);
  shapes.set(finalNormName, [config.hiddenSize]);
  if (!config.tieWordEmbeddings) shapes.set(headName(config), [config.vocabSize, config.hiddenSize]);
  return shapes;
}

function addLayerShapes(shapes: Map<string, readonly number[]>, config: ModelConfig, layer: number): void {
  const names = layerNames(layer);
  const { hiddenSize: D, headDim } = config;
  const [queryWidth, kvWidth] = [config.headCount * headDim, config.kvHeadCount * headDim];
  shapes.set(names.query, [queryWidth, D]);
  if (config.attentionBias) shapes.set(names.queryBias, [queryWidth]);
  shapes.set(names.key, [kvWidth, D]);
  if (config.attentionBias) shapes.set(names.keyBias, [kvWidth]);
  shapes.set(names.value, [kvWidth, D]);
  if (config.attentionBias) shapes.set(names.valueBias, [kvWidth]);
  shapes.set(names.output, [D, queryWidth]);
  if (config.outputBias) shapes.set(names.outputBias, [D]);
  if (config.queryKeyNorm) {
    shapes.set(names.queryNorm, [headDim]);
    shapes.set(names.keyNorm, [headDim]);
  }
  addFeedForwardShapes(shapes, config, names);
  shapes.set(names.inputNorm, [D]);
  shapes.set(names.attentionNorm, [D]);
}

function addFeedForwardShapes(shapes: Map<string, readonly number[]>, config: ModelConfig, names: ReturnType<typeof layerNames>): void {
  const { hiddenSize: D, intermediateSize, feedForwardBias } = config;
  shapes.set(names.gate, [intermediateSize, D]);
  if (feedForwardBias) shapes.set(names.gateBias, [intermediateSize]);
  shapes.set(names.up, [intermediateSize, D]);
  if (feedForwardBias) shapes.set(names.upBias, [intermediateSize]);
  shapes.set(names.down, [D, intermediateSize]);
  if (feedForwardBias) shapes.set(names.downBias, [D]);
}

export function parameterCount(config: ModelConfig): number {
  let count = 0;
  for (const shape of tensorShapes(config).values()) count += shape.reduce((product, dim) => product * dim, 1);
  return count;
}

/** @throws Error when a tensor is missing, extra, or of another shape than expected. */
export function checkTensors(shapes: ReadonlyMap<string, readonly number[]>, weights: ReadonlyMap<string, { readonly shape: readonly number[] }>): void {
  for (const [name, shape] of shapes) {
    const found = weights.get(name)?.shape;
    if (!found) throw new Error(`weights: expected a tensor ${name} of shape [${shape}], found none`);
    if (found.join() !== shape.join()) throw new Error(`weights, ${name}: expected shape [${shape}] from the configuration, got [${found}]`);
  }
  for (const name of weights.keys()) if (!shapes.has(name)) throw new Error(`weights: ${name} is not a tensor of this architecture`);
}
