/** @file Decoding computes what training computes. */
import { expect, test } from 'vitest';
import type { Generation } from '../../activities/policy/decoding/decodingRequest.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import type { ModelConfig, Weights } from '../../core/model/config.ts';
import { everyToken } from '../model/trainingRows.ts';
import { decode, likeS, model, nano, weightsOf } from './policies.ts';

/** Entry t is of token t. */
async function trainingLogprobs(config: ModelConfig, weights: Weights, tokens: Int32Array): Promise<Float32Array> {
  const trainer = new Trainer(config, weights, null, null);
  const [logprobs] = await trainer.logprobs([everyToken(tokens)], weights, 1, 4096, () => {});
  await trainer.release();
  return logprobs as Float32Array;
}

test.each([
  ['nano', nano],
  ['like S', likeS],
  [
    'with normalised queries and keys, untied',
    { ...nano, modelType: 'qwen3', queryKeyNorm: true, attentionBias: false, tieWordEmbeddings: false, headDim: 24 } as const,
  ],
  ['with a bias on every projection', { ...nano, modelType: 'llama', outputBias: true, feedForwardBias: true } as const],
])('log-probabilities equal the training graph’s within 1e-4: %s', async (_name, config: ModelConfig) => {
  const policy = await model(config, 3);
  const context = Int32Array.from({ length: 45 }, (_, i) => (i * 29 + 3) % config.vocabSize);
  const request = { context, seed: 4, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: 80, endTokens: [] };
  const [{ tokens: sampled, logprobs }] = (await decode(policy, [request])) as [Generation];
  expect(sampled).toHaveLength(80);
  const expected = await trainingLogprobs(config, weightsOf(config, 3), Int32Array.from([...context, ...sampled]));
  const differences = [...logprobs].map((logprob, i) => Math.abs(logprob - (expected[context.length + i] as number)));
  expect(Math.max(...differences)).toBeLessThan(1e-4);
  await policy.release();
});
