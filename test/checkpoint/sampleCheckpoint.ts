/** @file A small checkpoint for tests: every weight tells its step, so that a mix of two would show. */
import type { CheckpointContent } from '../../activities/checkpoint/writeCheckpoint.ts';
import type { Weights } from '../../core/model/config.ts';

export function sampleCheckpoint(globalStep: number, warmupStep = 0, values = 64): CheckpointContent {
  const weights: Weights = new Map([
    ['model.embed_tokens.weight', { shape: [values], data: new Float32Array(values).fill(globalStep + warmupStep / 1000) }],
    ['model.norm.weight', { shape: [4], data: new Float32Array(4).fill(globalStep) }],
  ]);
  return {
    state: {
      schemaVersion: 1,
      globalStep,
      warmupStep,
      policyVersion: globalStep + 1,
      seed: 7,
      configSha256: 'c'.repeat(64),
      parentManifestSha256: null,
      batchSha256: null,
      hyperparameters: null,
      metrics: { loss: 0.5 },
    },
    weights,
    moments: { step: globalStep, first: weights, second: weights },
    files: new Map([['config.json', Buffer.from('{"model_type":"qwen2"}')]]),
    card: `# step ${globalStep}\n`,
  };
}
