/** @file Several policy versions in one decoder: those that left are loaded again, and decode what they decoded before. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { jsonBytes } from '../../activities/checkpoint/policyFiles.ts';
import { Decoder } from '../../activities/policy/decoding/decoder.ts';
import { huggingFaceConfigOf } from '../../core/model/huggingFaceConfig.ts';
import type { WeightPrecision } from '../../core/model/quantisation.ts';
import { nano, weightsOf } from './policies.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnwise-versions-'));
  const files = new Map([['config.json', jsonBytes(huggingFaceConfigOf(nano, { endOfTurn: 0, padding: 0 }))]]);
  for (const version of [1, 2, 3]) await writePolicyDirectory(join(home, `${version}`), { weights: weightsOf(nano, version), files, card: '' });
});
afterAll(() => rm(home, { recursive: true, force: true }));

const context = Int32Array.from({ length: 70 }, (_, i) => (i * 31 + 5) % nano.vocabSize);

async function tokensOf(decoder: Decoder, versions: readonly number[], weights?: WeightPrecision): Promise<string[]> {
  const request = { context, seed: 7, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: 24, endTokens: [] };
  const generations = versions.map((version) =>
    decoder.generate({ key: `version ${version}`, path: join(home, `${version}`), ...(weights && { weights }) }, request),
  );
  return (await Promise.all(generations)).map(({ tokens, logprobs }) => `${tokens} ${logprobs}`);
}

test('one after the other, all at once, and with room for one only', async () => {
  const [roomy, narrow] = [new Decoder(), new Decoder({ maxPolicies: 1 })];
  try {
    const alone = [await tokensOf(roomy, [1]), await tokensOf(roomy, [2]), await tokensOf(roomy, [3])].flat();
    expect(new Set(alone).size).toBe(3);
    expect(await tokensOf(roomy, [1, 2, 3])).toEqual(alone);
    for (const version of [1, 2, 1, 3, 2, 1]) expect(await tokensOf(narrow, [version])).toEqual([alone[version - 1]]);
  } finally {
    await Promise.all([roomy.close(), narrow.close()]);
  }
});

test('a version with two precisions is two policies, which do not touch one another', async () => {
  const [roomy, narrow] = [new Decoder({ maxPolicies: 3 }), new Decoder({ maxPolicies: 1 })];
  try {
    const precisions = ['float32', 'int8', 'int4'] as const;
    const of = async (decoder: Decoder) => (await Promise.all(precisions.map((weights) => tokensOf(decoder, [1], weights)))).flat();
    const together = await of(roomy);
    expect(new Set(together).size).toBe(3);
    expect(await tokensOf(roomy, [1])).toEqual([together[0]]);
    for (const i of [1, 0, 2, 1, 0] as const) expect(await tokensOf(narrow, [1], precisions[i])).toEqual([together[i]]);
    expect(await of(roomy)).toEqual(together);
  } finally {
    await Promise.all([roomy.close(), narrow.close()]);
  }
});

test('a generation says with which weights it was sampled: those that were loaded', async () => {
  const decoder = new Decoder();
  try {
    const request = { context, seed: 7, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: 2, endTokens: [] };
    const policy = { key: 'version 1', path: join(home, '1') };
    expect((await decoder.generate(policy, request)).weights).toBe('float32');
    expect((await decoder.generate({ ...policy, weights: 'int4' }, request)).weights).toBe('int4');
  } finally {
    await decoder.close();
  }
});
