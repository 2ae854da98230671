/** @file A row's tokens and log-probabilities, to the bit, whatever happens around it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DecodingRequest, Generation } from '../../activities/policy/decoding/decodingRequest.ts';
import { loadPolicyModel, type PolicyModel } from '../../activities/policy/decoding/policyModel.ts';
import { PrefixCache } from '../../activities/policy/decoding/prefixCache.ts';
import { randomOf } from '../../core/random.ts';
import { decode, likeS, model, nano } from './policies.ts';

const golden = process.env['TURNWISE_GOLDEN'] ?? 'test/golden';
const rule = { temperature: 1, topK: 0, topP: 1 };

/** Contexts end before, at and after the borders of cache blocks. */
function request(index: number, vocabSize: number, contextLength = 1 + ((index * 13 + 8) % 70), maxTokens = 12 + (index % 5) * 7): DecodingRequest {
  const random = randomOf(1000 + index);
  const context = Int32Array.from({ length: contextLength }, () => random.integer(0, vocabSize - 1));
  return { context, seed: index, rule, maxTokens, endTokens: [] };
}

const equal = (a: Generation | undefined, b: Generation | undefined) => {
  expect([...(a as Generation).tokens]).toEqual([...(b as Generation).tokens]);
  expect([...(a as Generation).logprobs]).toEqual([...(b as Generation).logprobs]);
};

/** One head of keys and values, and more threads than one product of a row has room for. */
const manyThreads = async (): Promise<PolicyModel> => {
  vi.stubEnv('TURNWISE_THREADS', '8');
  return model({ ...likeS, kvHeadCount: 1, maxPositions: 1024 }, 5).finally(() => vi.unstubAllEnvs());
};

const shapes: readonly [string, () => Promise<PolicyModel>][] = [
  ['nano', () => model(nano)],
  ['like S', () => model(likeS)],
  ['a key head for every query head', () => model({ ...likeS, kvHeadCount: likeS.headCount })],
  ['one key head, eight threads', manyThreads],
  ['weights of eight bits', () => model(likeS, 5, 'int8')],
  ['qwen2-tiny', () => loadPolicyModel('tiny', join(golden, 'models/qwen2-tiny'))],
];

describe.each(shapes)('%s', (_name, load) => {
  let policy: PolicyModel;
  let mine: DecodingRequest;
  let alone: Generation;
  const others = (count: number, from = 1) => Array.from({ length: count }, (_, i) => request(from + i, policy.config.vocabSize));

  beforeAll(async () => {
    policy = await load();
    mine = request(0, policy.config.vocabSize, 41, 50);
    [alone] = (await decode(policy, [mine])) as [Generation];
  });
  afterAll(() => policy.release());

  test('the policy is not degenerate: tokens vary', () => {
    expect(new Set(alone.tokens).size).toBeGreaterThan(8);
  });

  test.each([2, 3, 5, 8, 16, 31, 32])('in a batch of %i', async (size) => {
    equal((await decode(policy, [mine, ...others(size - 1)]))[0], alone);
  });

  test.each([1, 7, 15])('in slot %i, beside other neighbours', async (slot) => {
    const rows = others(15, 100);
    rows.splice(slot, 0, mine);
    equal((await decode(policy, rows))[slot], alone);
  });

  test('joining late, while rows finish and leave', async () => {
    const rows = [...others(9, 200), mine, ...others(4, 300)];
    equal((await decode(policy, rows, { arrivals: rows.map((_, i) => (i * 5) % 17), maxRows: 6 }))[9], alone);
  });

  test('beside a row whose cache is far longer', async () => {
    const long = request(7, policy.config.vocabSize, Math.min(policy.config.maxPositions - 20, 130), 15);
    equal((await decode(policy, [long, mine]))[1], alone);
  });

  test.each([1, 2, 7, 8, 9, 20])('beside %i siblings, which decode after the same context', async (count) => {
    const siblings = Array.from({ length: count }, (_, i) => ({ ...mine, seed: 500 + i, maxTokens: 10 + ((i * 7) % 41) }));
    equal((await decode(policy, [...siblings, mine]))[count], alone);
  });

  test('among siblings and others that join and leave at other times', async () => {
    const rows = Array.from({ length: 24 }, (_, i) =>
      i === 13 ? mine : i % 2 === 0 ? { ...mine, seed: i, maxTokens: 3 + i } : request(i, policy.config.vocabSize),
    );
    equal((await decode(policy, rows, { arrivals: rows.map((_, i) => (i * 7) % 19), maxRows: 14 }))[13], alone);
  });

  test('with a warm, a small and an empty prefix cache', async () => {
    const prefixes = new PrefixCache(2 ** 26);
    await decode(policy, [{ ...mine, seed: 5 }, ...others(3)], { prefixes });
    equal((await decode(policy, [mine], { prefixes }))[0], alone);
    equal((await decode(policy, [mine, ...others(3)], { prefixes: new PrefixCache(0) }))[0], alone);
  });

  test('with sessions made anew, as after a restart', async () => {
    const again = await load();
    equal((await decode(again, [request(3, policy.config.vocabSize), mine]))[1], alone);
    await again.release();
  });

  test('a long context', async () => {
    const long = request(11, policy.config.vocabSize, policy.config.maxPositions - 40, 30);
    const [longAlone] = await decode(policy, [long]);
    const siblings = Array.from({ length: 12 }, (_, i) => ({ ...long, seed: 600 + i, maxTokens: 5 + i }));
    equal((await decode(policy, [...siblings, long, ...others(4)]))[12], longAlone);
  });

  test('a later turn, whose context was sampled before, decodes the same from any history', async () => {
    const next = { ...mine, context: Int32Array.from([...mine.context, ...alone.tokens, 1, 2, 3]), seed: 9, maxTokens: 10 };
    const prefixes = new PrefixCache(2 ** 26);
    await decode(policy, [mine], { prefixes });
    equal((await decode(policy, [next, ...others(5)], { prefixes }))[0], (await decode(policy, [next]))[0]);
  });
});
