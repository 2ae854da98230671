/** @file Models built from nothing: `nano` learns multi-turn tool use in minutes on two cores; `S` and `M` are the shapes of the benchmarks. */
import type { ModelConfig } from './config.ts';

const shapes = {
  nano: { hiddenSize: 128, layerCount: 3, headCount: 4, kvHeadCount: 2, intermediateSize: 384, maxPositions: 160 },
  S: { hiddenSize: 256, layerCount: 4, headCount: 4, kvHeadCount: 2, intermediateSize: 768, maxPositions: 1024 },
  M: { hiddenSize: 512, layerCount: 8, headCount: 8, kvHeadCount: 4, intermediateSize: 1536, maxPositions: 1024 },
} as const;

export type PresetName = keyof typeof shapes;

/** `contextLength` raises the number of positions where a run needs more. */
export function presetConfig(preset: PresetName, vocabSize: number, contextLength = 0): ModelConfig {
  const shape = shapes[preset];
  return {
    ...shape,
    modelType: 'qwen2',
    vocabSize,
    headDim: shape.hiddenSize / shape.headCount,
    rmsNormEps: 1e-6,
    ropeTheta: 10_000,
    tieWordEmbeddings: true,
    attentionBias: true,
    outputBias: false,
    feedForwardBias: false,
    queryKeyNorm: false,
    maxPositions: Math.max(shape.maxPositions, contextLength),
  };
}
