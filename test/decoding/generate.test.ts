/** @file Activity `generate` on a real checkpoint: what it answers, that it repeats itself, and how it refuses. */
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifactRoot } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { createGenerate } from '../../activities/generate.ts';
import { Decoder } from '../../activities/policy/decoding/decoder.ts';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import { verifiedPolicies } from '../../activities/policy/verifiedPolicies.ts';
import { runConfigLoader } from '../../activities/runs/storedConfig.ts';
import { taskSourcesLoader } from '../../activities/tasks/taskSources.ts';
import { decodeSegment, type TokenSegment } from '../../core/rollout/ledger.ts';
import type { GenerateInput, GenerateResult, PolicyRef } from '../../core/rollout/types.ts';
import { run, TestedTrainer, testedConfig } from '../trainer/trainerProcess.ts';

let home: string;
let policy: PolicyRef;
let decoder: Decoder;
let store: ArtifactStore;
let tokenizer: PolicyTokenizer;
let generate: ReturnType<typeof createGenerate>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnwise-generate-'));
  const trainer = new TestedTrainer(home);
  policy = (await trainer.prepareRun(testedConfig())).policy;
  await trainer.loaded.close();
  decoder = new Decoder();
  store = new ArtifactStore(artifactRoot(home));
  tokenizer = await PolicyTokenizer.load(join(home, 'runs', run, policy.checkpoint, 'policy'));
  const config = runConfigLoader(home);
  generate = createGenerate({ store, decoder, policies: verifiedPolicies(home), sources: taskSourcesLoader(config), config });
});

afterAll(async () => {
  await decoder.close();
  await rm(home, { recursive: true, force: true });
});

// Hot: an untrained policy otherwise repeats one token.
const sampling = { temperature: 4, topK: 0, topP: 1, maxTokensPerTurn: 20 };

function input(changes: Partial<GenerateInput> = {}): GenerateInput {
  const source = testedConfig().tasks[0]?.name as string;
  const task = { source, split: 'train', index: 3 } as const;
  return { run, policy, task, sibling: 0, turn: 0, seed: 11, segments: [], sampling, tokenBudget: 160, ...changes };
}

const call = (given: GenerateInput) => new MockActivityEnvironment().run(generate, given) as Promise<GenerateResult>;
const segmentOf = async (result: GenerateResult) => decodeSegment(await store.fromBytes(result.segment)) as TokenSegment;

test('turn 0: the prompt is given, the rest is sampled, and the text is parsed', async () => {
  const result = await call(input());
  const { given, sampled, behaviorLogprobs } = await segmentOf(result);
  expect(tokenizer.decode(given)).toMatch(/^<\|user\|>What is the .*\?<\|end\|><\|bot\|>$/);
  expect(sampled.length).toBe(result.sampledTokens);
  expect(result.contextTokens).toBe(given.length + sampled.length);
  expect(behaviorLogprobs.every((logprob) => logprob <= 0 && Number.isFinite(logprob))).toBe(true);
  expect(result.finishReason).toBe(sampled.at(-1) === tokenizer.endOfTurn ? 'stop' : 'length');
  // An untrained policy says nothing well-formed.
  expect(result.action).toMatchObject({ kind: 'malformed', text: { text: tokenizer.decodeTurn(sampled) } });
});

test('the same input gives the same answer, alone, in company, and from a new thread', async () => {
  const alone = await call(input());
  const crowd = await Promise.all(Array.from({ length: 12 }, (_, sibling) => call(input(sibling === 5 ? {} : { sibling, seed: 100 + sibling }))));
  expect(crowd[5]).toEqual(alone);
  expect(new Set(crowd.map((result) => JSON.stringify(result.segment))).size).toBeGreaterThan(8);
  await decoder.close();
  decoder = new Decoder();
  const config = runConfigLoader(home);
  generate = createGenerate({ store, decoder, policies: verifiedPolicies(home), sources: taskSourcesLoader(config), config });
  expect(await call(input())).toEqual(alone);
});

test('turn 1: only the observation is given', async () => {
  const first = await call(input());
  const ended = first.finishReason === 'stop';
  const second = await call(input({ turn: 1, segments: [first.segment], observation: { text: "'iu'" }, seed: 12 }));
  const { given } = await segmentOf(second);
  expect(tokenizer.decode(given)).toBe(`${ended ? '' : '<|end|>'}<|tool|>'iu'<|end|><|bot|>`);
  expect(second.contextTokens).toBe(first.contextTokens + given.length + second.sampledTokens);
});

test('the token budget cuts a turn short', async () => {
  const prompt = (await segmentOf(await call(input()))).given.length;
  const result = await call(input({ tokenBudget: prompt + 3 }));
  expect(result.sampledTokens).toBeLessThanOrEqual(3);
  expect(result.contextTokens).toBeLessThanOrEqual(prompt + 3);
});

test('a prompt beyond the budget ends the trajectory without a token', async () => {
  const result = await call(input({ tokenBudget: 5 }));
  expect(result).toMatchObject({ sampledTokens: 0, finishReason: 'length', action: { kind: 'malformed' } });
  expect(result.contextTokens).toBeGreaterThan(5);
  expect(await segmentOf(result)).toEqual({ given: new Int32Array(), sampled: new Int32Array(), behaviorLogprobs: new Float32Array() });
});

test('greedy does not depend on the seed', async () => {
  const greedy = { ...sampling, temperature: 0 };
  expect((await call(input({ sampling: greedy, seed: 1 }))).segment).toEqual((await call(input({ sampling: greedy, seed: 2 }))).segment);
});

test('cancelled, it ends and leaves the others alone', async () => {
  const environment = new MockActivityEnvironment();
  const cancelled = environment.run(generate, input({ seed: 77 })) as Promise<GenerateResult>;
  const other = call(input());
  environment.cancel();
  await expect(cancelled).rejects.toBeInstanceOf(CancelledFailure);
  expect(await other).toEqual(await call(input()));
});

test('an unknown checkpoint is refused for good, with what to do', async () => {
  const unknown = { ...policy, checkpoint: 'checkpoints/global_step_9' };
  await expect(call(input({ policy: unknown }))).rejects.toMatchObject({
    type: 'BadCheckpoint',
    nonRetryable: true,
    message: expect.stringMatching(/global_step_9.*npm run resume/s),
  });
});

test('another manifest than the reference names is refused', async () => {
  const other = { ...policy, manifestSha256: '0'.repeat(64) };
  await expect(call(input({ policy: other }))).rejects.toMatchObject({ type: 'BadCheckpoint', nonRetryable: true });
});

test('a checkpoint whose weights were changed is refused', async () => {
  const elsewhere = join(home, 'elsewhere');
  const trainer = new TestedTrainer(elsewhere);
  const prepared = await trainer.prepareRun(testedConfig());
  await trainer.loaded.close();
  await appendFile(join(elsewhere, 'runs', run, prepared.policy.checkpoint, 'policy', 'model.safetensors'), 'x');
  const config = runConfigLoader(elsewhere);
  const refusing = createGenerate({ store, decoder, policies: verifiedPolicies(elsewhere), sources: taskSourcesLoader(config), config });
  await expect(new MockActivityEnvironment().run(refusing, input({ policy: prepared.policy }))).rejects.toMatchObject({
    type: 'BadCheckpoint',
    message: expect.stringContaining('model.safetensors'),
  });
});

test('a missing observation is said to be missing', async () => {
  await expect(call(input({ turn: 1, segments: [(await call(input())).segment] }))).rejects.toThrow(/expected the observation of turn 0/);
});
