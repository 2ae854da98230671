/** @file Quantised weights on a real checkpoint: what `generateForEvaluation` samples, and every way in which `generate` could meet it. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactRoot } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { createGenerate } from '../../activities/generate.ts';
import { createGenerateForEvaluation } from '../../activities/generateForEvaluation.ts';
import { Decoder } from '../../activities/policy/decoding/decoder.ts';
import type { GenerateDependencies } from '../../activities/policy/nextTurn.ts';
import { verifiedPolicies } from '../../activities/policy/verifiedPolicies.ts';
import { runConfigLoader } from '../../activities/runs/storedConfig.ts';
import { taskSourcesLoader } from '../../activities/tasks/taskSources.ts';
import { decodeSegment } from '../../core/rollout/ledger.ts';
import type { GenerateForEvaluationInput, GenerateInput, GenerateResult, PolicyRef, QuantisedWeights } from '../../core/rollout/types.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { run, TestedTrainer, testedConfig } from '../trainer/trainerProcess.ts';

let policy: PolicyRef;
let dependencies: GenerateDependencies;
const decoder = new Decoder();
const precisions = ['int8', 'int4'] as const;

beforeAll(async () => {
  const home = await temporaryDirectory('quantised');
  const trainer = new TestedTrainer(home);
  policy = (await trainer.prepareRun(testedConfig())).policy;
  await trainer.loaded.close();
  const config = runConfigLoader(home);
  const store = new ArtifactStore(artifactRoot(home));
  dependencies = { store, decoder, policies: verifiedPolicies(home), sources: taskSourcesLoader(config), config };
});
afterAll(() => decoder.close());

// Hot: an untrained policy otherwise repeats one token.
const sampling = { temperature: 4, topK: 0, topP: 1, maxTokensPerTurn: 20 };

function input(changes: Partial<GenerateInput> = {}): GenerateInput {
  const task = { source: testedConfig().tasks[0]?.name as string, split: 'train', index: 3 } as const;
  return { run, policy, task, sibling: 0, turn: 0, seed: 11, segments: [], sampling, tokenBudget: 160, ...changes };
}

const trained = (given: GenerateInput, changed: Partial<GenerateDependencies> = {}): Promise<GenerateResult> =>
  new MockActivityEnvironment().run(createGenerate({ ...dependencies, ...changed }), given);
const evaluated = (given: GenerateForEvaluationInput, changed: Partial<GenerateDependencies> = {}): Promise<GenerateResult> =>
  new MockActivityEnvironment().run(createGenerateForEvaluation({ ...dependencies, ...changed }), given);
const segmentOf = async ({ segment }: GenerateResult) => decodeSegment(await dependencies.store.fromBytes(segment));
const after = (first: GenerateResult) => input({ turn: 1, segments: [first.segment], observation: { text: "'iu'" } });
const refused = (message: string) => expect.objectContaining({ type: 'OtherWeights', nonRetryable: true, message });

test.each(precisions)('%s samples with the quantised weights, and its segment says so in place of log-probabilities', async (weights) => {
  const asTrained = await segmentOf(await trained(input()));
  const result = await evaluated({ ...input(), weights });
  const { given, sampled, ...rest } = await segmentOf(result);
  expect(rest).toEqual({ weights });
  expect(given).toEqual(asTrained.given);
  expect(sampled).not.toEqual(asTrained.sampled);
  expect(sampled).toHaveLength(result.sampledTokens);
  expect((await segmentOf(await evaluated({ ...after(result), weights }))).given.length).toBeGreaterThan(0);
  expect(await segmentOf(await evaluated({ ...input({ tokenBudget: 5 }), weights }))).toEqual({ given: new Int32Array(), sampled: new Int32Array(), weights });
  expect(await segmentOf(await trained(input()))).toEqual(asTrained);
});

test.each(precisions)('a reference or an input that names %s is refused by generate, float32 too', async (weights) => {
  const message = (part: string, found: string) =>
    `generate: expected ${part} without weights, since what is trained on is sampled with the weights that are trained, got ${found}`;
  const policyWithWeights = { ...policy, weights };
  await expect(trained(input({ policy: policyWithWeights }))).rejects.toEqual(refused(message('policy', weights)));
  const inputWithWeights = { ...input(), weights };
  await expect(trained(inputWithWeights)).rejects.toEqual(refused(message('input', weights)));
  const explicit = { ...input(), weights: 'float32' };
  await expect(trained(explicit)).rejects.toEqual(refused(message('input', 'float32')));
});

test.each(precisions)('a worker whose decoder has loaded %s is refused by generate', async (weights) => {
  const wrong: GenerateDependencies['decoder'] = { generate: (directory, ...rest) => decoder.generate({ ...directory, weights }, ...rest) };
  await expect(trained(input(), { decoder: wrong })).rejects.toEqual(refused(`generate: expected a decoder with weights float32, got ${weights}`));
});

test('a worker whose decoder has loaded float32 does not pass it off as quantised', async () => {
  const wrong: GenerateDependencies['decoder'] = { generate: ({ key, path }, ...rest) => decoder.generate({ key, path }, ...rest) };
  const call = evaluated({ ...input(), weights: 'int8' }, { decoder: wrong });
  await expect(call).rejects.toEqual(refused('generate: expected a decoder with weights int8, got float32'));
});

test('a trajectory is sampled with the same weights from its first turn to its last', async () => {
  const first = await evaluated({ ...input(), weights: 'int8' });
  const message = (expected: string, found: string) => `generate: expected turn 0 sampled with weights ${expected}, got ${found}`;
  await expect(trained(after(first))).rejects.toEqual(refused(message('float32', 'int8')));
  await expect(evaluated({ ...after(first), weights: 'int4' })).rejects.toEqual(refused(message('int4', 'int8')));
  await expect(evaluated({ ...after(await trained(input())), weights: 'int8' })).rejects.toEqual(refused(message('int8', 'float32')));
});

test.each(['float32', 'int2', 'toString', undefined])('generateForEvaluation takes quantised weights alone, not %s', async (weights) => {
  const call = evaluated({ ...input(), weights: weights as QuantisedWeights });
  await expect(call).rejects.toEqual(refused(`generate: expected weights int8 or int4, got ${weights}`));
});
