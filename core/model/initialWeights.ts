/** @file Initial weights of a model built from nothing: a pure function of configuration and seed. */
import { randomOf, seedOf } from '../random.ts';
import type { ModelConfig, Tensor, Weights } from './config.ts';
import { embeddingName, layerNames, tensorShapes } from './tensorNames.ts';

const embeddingStd = 0.3;
/** Query weights start as a mix with their kv group's key weights: the attention then looks for equal tokens, and copying is learned sooner. */
const ownShare = 0.3;

/** Matrices N(0, 1 / fan_in), those that write to the residual stream also / √(2 L); norms 1, biases 0. */
export function initialWeights(config: ModelConfig, seed: number): Weights {
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of tensorShapes(config)) weights.set(name, { shape, data: initialTensor(config, name, shape, seed) });
  for (let layer = 0; layer < config.layerCount; layer++) mixQueryWithKey(config, layer, weights);
  return weights;
}

function initialTensor(config: ModelConfig, name: string, shape: readonly number[], seed: number): Float32Array {
  const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
  if (shape.length === 1) return name.endsWith('norm.weight') ? data.fill(1) : data;
  const random = randomOf(seedOf('initial weights', seed, name));
  const std = standardDeviation(config, name, shape[1] as number);
  for (let i = 0; i < data.length; i++) data[i] = std * random.normal();
  return data;
}

function standardDeviation(config: ModelConfig, name: string, fanIn: number): number {
  if (name === embeddingName) return embeddingStd;
  const writesToResidual = name.endsWith('o_proj.weight') || name.endsWith('down_proj.weight');
  return 1 / Math.sqrt(fanIn * (writesToResidual ? 2 * config.layerCount : 1));
}

function mixQueryWithKey(config: ModelConfig, layer: number, weights: ReadonlyMap<string, Tensor>): void {
  const names = layerNames(layer);
  const query = (weights.get(names.query) as Tensor).data;
  const key = (weights.get(names.key) as Tensor).data;
  const headSize = config.headDim * config.hiddenSize;
  const group = config.headCount / config.kvHeadCount;
  for (let i = 0; i < query.length; i++) {
    const head = Math.floor(i / headSize);
    const keyIndex = Math.floor(head / group) * headSize + (i % headSize);
    query[i] = ownShare * (query[i] as number) + (1 - ownShare) * (key[keyIndex] as number);
  }
}
