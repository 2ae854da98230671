/** @file A tiny model and random rows for tests of the training engine. */
import type { TrainedRow } from '../../activities/policy/training/feeds.ts';
import type { TrainerOptions } from '../../activities/policy/training/trainer.ts';
import type { ModelConfig, OptimizerStep, Weights } from '../../core/model/config.ts';
import { presetConfig } from '../../core/model/presets.ts';
import { randomOf } from '../../core/random.ts';
import type { BatchRow } from '../../core/run/batch.ts';
import type { LossConfig } from '../../core/run/config.ts';

export const tinyConfig: ModelConfig = { ...presetConfig('nano', 23), hiddenSize: 16, layerCount: 2, headDim: 4, intermediateSize: 24, maxPositions: 1024 };
export const optimizer: OptimizerStep = { lr: 1e-2, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.01, maxGradNorm: 1 };
export const loss: LossConfig = { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, entropyCoefficient: 0, aggregation: 'tokenMean' };

/** The ways through a model: one graph, and layer by layer with the head in pieces. */
export const ways: readonly { readonly name: string; readonly options: TrainerOptions }[] = [
  { name: 'one graph', options: {} },
  { name: 'recomputed', options: { recomputeActivations: true, headTokens: 16 } },
];

/** Trajectories of different lengths; about half of the tokens are sampled. */
export function randomRows(count: number, seed: number): BatchRow[] {
  const random = randomOf(seed);
  return Array.from({ length: count }, (_, sibling) => {
    const length = random.integer(6, 60);
    const sampledMask = Uint8Array.from({ length }, (_, t) => (t > 2 && random.next() < 0.5 ? 1 : 0));
    sampledMask[length - 1] = 1;
    const masked = (element: () => number) => Float32Array.from(sampledMask, (sampled) => (sampled ? element() : 0));
    return {
      taskId: 'test',
      sibling,
      tokens: Int32Array.from({ length }, () => random.integer(0, 22)),
      sampledMask,
      behaviorLogprobs: masked(() => -3 + random.normal() / 5),
      advantages: masked(() => random.normal()),
    };
  });
}

/** The row with every token trained but the first, which nothing predicts. */
export function everyToken(tokens: Int32Array): TrainedRow {
  return { tokens, trained: new Uint8Array(tokens.length).fill(1, 1) };
}

export function copyOf(weights: Weights): Weights {
  return new Map(Array.from(weights, ([name, { shape, data }]) => [name, { shape, data: data.slice() }] as const));
}

/** Every float of every tensor, in order: equal bytes or not. */
export function bytesOf(weights: Weights): Buffer {
  return Buffer.concat(Array.from(weights.values(), ({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
}
