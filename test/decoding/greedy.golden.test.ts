/** @file Greedy continuations equal those of transformers on its own directories. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadPolicyModel } from '../../activities/policy/decoding/policyModel.ts';
import { goldenFolder, goldenModelNames } from '../model/goldenModels.ts';
import { decode } from './policies.ts';

test.each(goldenModelNames())('greedy continuations equal transformers’: %s', async (name) => {
  const { greedy } = JSON.parse(readFileSync(join(goldenFolder, 'models', name, 'expected.json'), 'utf8'));
  const policy = await loadPolicyModel(name, join(goldenFolder, 'models', name));
  const requests = greedy.prompt.map((prompt: number[], seed: number) => ({
    context: Int32Array.from(prompt),
    seed,
    rule: { temperature: 0, topK: 0, topP: 1 },
    maxTokens: greedy.continuation[seed].length,
    endTokens: [],
  }));
  const generations = await decode(policy, requests);
  expect(generations.map(({ tokens }) => [...tokens])).toEqual(greedy.continuation);
  await policy.release();
});
