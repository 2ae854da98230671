/** @file What does not fit into the policy's context is found before a run starts, and left out where only a later draw is longer. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { demonstrationRows, warmupRows } from '../../activities/trainer/demonstrationRows.ts';
import { initialTokenizer } from '../../activities/trainer/initialPolicy.ts';
import { validateContext } from '../../activities/trainer/validateContext.ts';
import { testedConfig } from './trainerProcess.ts';

const path = join(import.meta.dirname, '../golden/models/qwen2-tiny');
const config = testedConfig();
const lengthsOf = async (steps: number) => {
  const rowsOf = demonstrationRows(config, await initialTokenizer(config.policy));
  return Array.from({ length: steps }, (_, index) => rowsOf(index + 1).map(({ tokens }) => tokens.length));
};

test('a context in which every demonstration fits is accepted, one token less is refused with the length that it takes', async () => {
  const longest = Math.max(...(await lengthsOf(config.warmup.steps)).flat());
  const withContext = (contextLength: number) => validateContext({ ...config, policy: { ...config.policy, contextLength } });
  await expect(withContext(longest)).resolves.toBeUndefined();
  await expect(withContext(longest - 1)).rejects.toThrow(
    `got ${longest - 1} tokens, the longest of the first ${config.warmup.steps * config.warmup.batchSize} has ${longest}`,
  );
});

test('a context beyond the model’s positions is refused, and a model that is not there by its key', async () => {
  const valid = testedConfig({ policy: { path, contextLength: 100, turnFormat: 'fences' }, warmup: { steps: 0 } });
  const on = (changed: object) => validateContext({ ...valid, policy: { ...valid.policy, ...changed } });
  await expect(on({ contextLength: 500 })).rejects.toThrow("policy.contextLength: expected at most the model's max_position_embeddings 128, got 500");
  await expect(on({ contextLength: 100, path: '/nowhere' })).rejects.toThrow(/^policy\.path: .*\/nowhere/);
  await expect(on({ contextLength: 128 })).resolves.toBeUndefined();
});

test('a warm-up step trains on the demonstrations that fit, and says so when none does', async () => {
  const perStep = await lengthsOf(8);
  const step = 1 + perStep.findIndex((lengths) => new Set(lengths).size > 1);
  const lengths = perStep[step - 1] ?? [];
  const tokenizer = await initialTokenizer(config.policy);
  const rowsWithin = (contextLength: number) => warmupRows({ ...config, policy: { ...config.policy, contextLength } }, tokenizer)(step);
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
  expect(rowsWithin(longest - 1).map(({ tokens }) => tokens.length)).toEqual(lengths.filter((length) => length < longest));
  expect(() => rowsWithin(shortest - 1)).toThrow(`all ${lengths.length} are longer, up to ${longest}`);
});
