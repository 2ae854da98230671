/** @file The policy updates that are measured: which model, which rows, whole or as an adapter. */
import type { ModelConfig } from '../../core/model/config.ts';
import { type LoraConfig, loraModules } from '../../core/model/lora.ts';
import { presetConfig } from '../../core/model/presets.ts';
import { randomOf } from '../../core/random.ts';
import type { BatchRow } from '../../core/run/batch.ts';

export type ShapeName = 'S' | 'M' | 'Qwen2.5-0.5B';

export interface UpdateCase {
  readonly name: string;
  readonly shape: ShapeName;
  readonly rows: number;
  /** Tokens that all rows begin with and that nobody trains; 0: rows have nothing in common and all of them is trained. */
  readonly promptTokens: number;
  readonly trainedTokens: number;
  readonly adapter: boolean;
  /** Layer by layer, with activations computed again (policy.recomputeActivations). */
  readonly recomputes?: boolean;
  /** Measured ones a round; one before them makes the sessions. */
  readonly steps: number;
}

export const lora: LoraConfig = { rank: 8, alpha: 16, rsLora: false, targetModules: loraModules };

/** Small: on the repeated random batch a larger rate soon clips every token, and denormal gradients distort times. */
export const learningRate = 1e-6;

const halfBillion: ModelConfig = {
  modelType: 'qwen2',
  vocabSize: 151_936,
  hiddenSize: 896,
  layerCount: 24,
  headCount: 14,
  kvHeadCount: 2,
  headDim: 64,
  intermediateSize: 4864,
  rmsNormEps: 1e-6,
  ropeTheta: 1_000_000,
  tieWordEmbeddings: true,
  attentionBias: true,
  outputBias: false,
  feedForwardBias: false,
  queryKeyNorm: false,
  maxPositions: 32_768,
};

export const configs: Readonly<Record<ShapeName, ModelConfig>> = {
  S: presetConfig('S', 512),
  M: presetConfig('M', 4096),
  'Qwen2.5-0.5B': halfBillion,
};

export function tokensOf({ rows, promptTokens, trainedTokens }: UpdateCase): number {
  return rows * (promptTokens + trainedTokens);
}

/** A row without a prompt has one token more, which only stands in front. */
export function batchOf({ shape, rows, promptTokens, trainedTokens }: UpdateCase): BatchRow[] {
  const { vocabSize } = configs[shape];
  const random = randomOf(1);
  const untrained = Math.max(1, promptTokens);
  const length = untrained + trainedTokens;
  const someTokens = (count: number) => Int32Array.from({ length: count }, () => random.integer(0, vocabSize - 1));
  const prompt = someTokens(promptTokens);
  return Array.from({ length: rows }, (_, sibling) => {
    const tokens = someTokens(length);
    tokens.set(prompt);
    return {
      taskId: 'bench',
      sibling,
      tokens,
      sampledMask: new Uint8Array(length).fill(1, untrained),
      behaviorLogprobs: new Float32Array(length).fill(-Math.log(vocabSize)),
      advantages: Float32Array.from({ length }, () => 2 * random.next() - 1),
    };
  });
}
