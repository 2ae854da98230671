/** @file Decoding computes what training computes. */
import { expect, test } from 'vitest';
import type { Generation } from '../../activities/policy/decoding/decodingBatch.ts';
import { createSession, type Feed } from '../../activities/policy/ort/session.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import type { ModelConfig, Weights } from '../../core/model/config.ts';
import { trainingGraph } from '../../core/model/trainingGraph.ts';
import { decode, likeS, model, nano, weightsOf } from './policies.ts';

async function trainingLogprobs(config: ModelConfig, weights: Weights, tokens: Int32Array): Promise<Float32Array> {
  const shape = { rows: 1, length: tokens.length };
  const session = await createSession(modelBytes(trainingGraph(config, { kind: 'forward', temperature: 1 }, shape)));
  const feeds: Record<string, Feed> = {
    tokens: { data: BigInt64Array.from(tokens, BigInt), shape: [1, tokens.length] },
    targets: { data: BigInt64Array.from([...tokens.subarray(1), 0], BigInt), shape: [tokens.length, 1] },
  };
  for (const [name, { shape, data }] of weights) feeds[name] = { data, shape };
  const { logprobs } = await session.run(feeds);
  await session.release();
  return logprobs as Float32Array;
}

test.each([
  ['nano', nano],
  ['like S', likeS],
  [
    'with normalised queries and keys, untied',
    { ...nano, modelType: 'qwen3', queryKeyNorm: true, attentionBias: false, tieWordEmbeddings: false, headDim: 24 } as const,
  ],
])('log-probabilities equal the training graph’s within 1e-4: %s', async (_name, config: ModelConfig) => {
  const policy = await model(config, 3);
  const context = Int32Array.from({ length: 45 }, (_, i) => (i * 29 + 3) % config.vocabSize);
  const request = { context, seed: 4, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: 80, endTokens: [] };
  const [{ tokens: sampled, logprobs }] = (await decode(policy, [request])) as [Generation];
  expect(sampled).toHaveLength(80);
  const expected = await trainingLogprobs(config, weightsOf(config, 3), Int32Array.from([...context, ...sampled]));
  const differences = [...logprobs].map((logprob, i) => Math.abs(logprob - (expected[context.length - 1 + i] as number)));
  expect(Math.max(...differences)).toBeLessThan(1e-4);
  await policy.release();
});
