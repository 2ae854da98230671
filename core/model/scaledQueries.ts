/**
 * @file The factor 1 / √headDim of attention, moved into the tensors that queries come from. A product by itself would be fused by ONNX Runtime into
 * the one after it, and kernels for one query, which read keys where they lie, know no factor.
 */
import type { ModelConfig, Tensor, Weights } from './config.ts';
import { layerNames } from './tensorNames.ts';

/** The model's weights, with queries of every layer 1 / √headDim of what they were. */
export function withScaledQueries(config: ModelConfig, weights: Weights): Weights {
  const scale = 1 / Math.sqrt(config.headDim);
  const replaced = new Map(weights);
  for (let layer = 0; layer < config.layerCount; layer++) {
    for (const name of queryTensors(config, layer)) {
      const tensor = weights.get(name);
      if (tensor !== undefined) replaced.set(name, scaled(tensor, scale));
    }
  }
  return replaced;
}

/** Where queries are normalised, the norm's weight alone sets their size. */
function queryTensors({ queryKeyNorm, attentionBias }: ModelConfig, layer: number): readonly string[] {
  const names = layerNames(layer);
  if (queryKeyNorm) return [names.queryNorm];
  return attentionBias ? [names.query, names.queryBias] : [names.query];
}

const scaled = ({ shape, data }: Tensor, factor: number): Tensor => ({ shape, data: data.map((value) => value * factor) });
