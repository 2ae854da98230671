/** @file Layer by layer, with activations computed again, gives what one graph gives: loss, log-probabilities and every gradient. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeBaseModel } from '../../activities/checkpoint/baseModel.ts';
import { frozenWeights } from '../../activities/checkpoint/frozenWeights.ts';
import { openModelDirectory } from '../../activities/checkpoint/modelDirectory.ts';
import { Trainer, type TrainerOptions, trainingSessions } from '../../activities/policy/training/trainer.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { initialAdapter, type LoraConfig, loraModules } from '../../core/model/lora.ts';
import type { TrainingGraphKind } from '../../core/model/trainingGraph.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { goldenFolder, goldenModelNames } from './goldenModels.ts';
import { largestDifference, policyKind, resultOf } from './oneBatch.ts';
import { tinyConfig } from './trainingRows.ts';

const recomputing: TrainerOptions = { threads: 1, recomputeActivations: true };
const whole: TrainerOptions = { threads: 1 };

const shapes: Readonly<Record<string, ModelConfig>> = {
  'tied head, biases of queries, keys and values': { ...tinyConfig, layerCount: 3 },
  'one layer': { ...tinyConfig, layerCount: 1 },
  'untied head, norms of queries and keys': {
    ...tinyConfig,
    layerCount: 3,
    tieWordEmbeddings: false,
    queryKeyNorm: true,
    modelType: 'qwen3',
    attentionBias: false,
  },
  'biases everywhere': { ...tinyConfig, modelType: 'llama', outputBias: true, feedForwardBias: true },
};

describe.each(Object.entries(shapes))('%s', (_, config) => {
  const weights = initialWeights(config, 7);
  const result = (options: TrainerOptions, kind: TrainingGraphKind) => resultOf(new Trainer(config, weights, null, null, options), config, kind);

  it.each<TrainingGraphKind>([{ kind: 'supervised' }, policyKind])('$kind: the same bits', async (kind) => {
    const [recomputed, expected] = [await result(recomputing, kind), await result(whole, kind)];
    expect(recomputed.loss).toBe(expected.loss);
    expect(recomputed.logprobs).toEqual(expected.logprobs);
    expect(largestDifference(recomputed, expected)).toBe(0);
  });

  it('with the head in pieces: the same up to the order of sums', async () => {
    const [recomputed, expected] = [await result({ ...recomputing, headTokens: 50 }, policyKind), await result(whole, policyKind)];
    expect(Math.abs(recomputed.loss / expected.loss - 1)).toBeLessThan(1e-6);
    expect(largestDifference(recomputed, expected)).toBeLessThan(1e-6);
  });
});

describe.each(goldenModelNames())('an adapter on %s', async (name) => {
  const opened = await openModelDirectory(join(goldenFolder, 'models', name));
  const config = { ...opened.config, maxPositions: 1024 };
  const frozen = await frozenWeights(opened, await describeBaseModel('golden', opened), await temporaryDirectory('widened'));
  const adapters: Readonly<Record<string, readonly string[]>> = {
    'on every projection': loraModules,
    'on other projections in every layer, and none in the first': [`model.layers.${config.layerCount - 1}.self_attn.q_proj`, 'layers.1.mlp.down_proj'],
  };

  it.each(Object.entries(adapters))('%s: the same bits', async (_, targetModules) => {
    const lora: LoraConfig = { rank: 3, alpha: 5, rsLora: true, targetModules };
    const weights = new Map(
      Array.from(initialAdapter(config, lora, 2), ([tensor, { shape, data }]) => [tensor, { shape, data: data.map((x, i) => x + ((i % 7) - 3) / 50) }]),
    );
    const result = (options: TrainerOptions) =>
      resultOf(new Trainer(config, weights, null, null, options, trainingSessions(config, options, { ...frozen, lora })), config, policyKind);
    const [recomputed, expected] = [await result(recomputing), await result(whole)];
    expect(recomputed.loss).toBe(expected.loss);
    expect(recomputed.logprobs).toEqual(expected.logprobs);
    expect(largestDifference(recomputed, expected)).toBe(0);
  });
});
