/** @file The activity `grade`: outcomes in the order of the input, what the record holds, and that a broken checker never becomes a reward of 0. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { checkerAttempts, createGrade, type GradeDependencies } from '../../activities/grade.ts';
import { SandboxBroken } from '../../activities/sandbox/sandbox.ts';
import { createMathChecker } from '../../activities/tasks/checkMath.ts';
import { openTaskSources } from '../../activities/tasks/taskSources.ts';
import { encodeSegment } from '../../core/rollout/ledger.ts';
import type { Trajectory } from '../../core/rollout/trajectory.ts';
import type { ExecutionResult, GradeInput, GradeResult, PlayedRollout, PlayedTurn, StopReason, TaskRef } from '../../core/rollout/types.ts';
import type { RunConfig } from '../../core/run/config.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

const config = {
  seed: 3,
  policy: { preset: 'nano', path: null, vocabulary: 'bytes', contextLength: 512, turnFormat: 'tags' },
  tasks: [
    { name: 'chain', family: 'chain', weight: 1, options: {} },
    { name: 'search', family: 'search', weight: 1, options: {} },
    { name: 'program', family: 'program', weight: 1, options: {} },
  ],
  limits: { execution: { wallMs: 1_000, memoryMiB: 64, outputBytes: 1_000 }, rolloutTimeoutMs: 1_000 },
} as unknown as RunConfig;

let [directory, store]: [string, ArtifactStore] = ['', undefined as never];
const math = createMathChecker();
beforeAll(async () => {
  directory = await temporaryDirectory('grade');
  store = new ArtifactStore(directory);
});
afterAll(() => math.close());

const sources = openTaskSources(config, '.');
const judge: GradeDependencies['judge'] = () => Promise.reject(new SandboxBroken('no session can be had'));
const grade = (input: GradeInput, attempt = 1, changed: Partial<GradeDependencies> = {}): Promise<GradeResult> =>
  new MockActivityEnvironment({ attempt }).run(createGrade({ store, math, judge, sources: () => sources, config: async () => config, ...changed }), input);
const trajectoriesOf = async (result: Awaited<ReturnType<typeof grade>>) =>
  Buffer.from(await store.get(result.trajectories))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Trajectory);

const chainRef: TaskRef = { source: 'chain', split: 'train', index: 5 };
const searchRef: TaskRef = { source: 'search', split: 'heldOut', index: 17 };
const programRef: TaskRef = { source: 'program', split: 'train', index: 0 };

async function played(turn: number, part: Partial<PlayedTurn>): Promise<PlayedTurn> {
  const segment = encodeSegment({ given: Int32Array.of(1, 2, turn), sampled: Int32Array.of(5, 4), behaviorLogprobs: Float32Array.of(-0.5, -1.25) });
  return {
    turn,
    policyVersion: 2,
    segment: await store.toBytes(segment),
    sampledTokens: 2,
    finishReason: 'stop',
    action: { kind: 'malformed', reason: 'no tags', text: { text: 'x' } },
    formatViolation: false,
    replayed: false,
    ...part,
  };
}
const code = (text: string): Partial<PlayedTurn> => ({ action: { kind: 'code', code: { text } } });
const answer = (text: string): Partial<PlayedTurn> => ({ action: { kind: 'answer', answer: { text } } });

async function rollout(
  task: TaskRef,
  sibling: number,
  stopReason: StopReason,
  parts: readonly Partial<PlayedTurn>[],
  failure?: string,
): Promise<PlayedRollout> {
  const turns = await Promise.all(parts.map((part, turn) => played(turn, part)));
  return { sibling, task, seed: 100 + sibling, stopReason, turns, ...(failure === undefined ? {} : { failure }) };
}

const goldOf = async () => {
  const { checker } = (await sources).task(chainRef);
  return checker.kind === 'exact' ? checker.expected : expect.fail('expected an exact checker');
};

test('outcomes in the order of the input, each by its stop reason and its checker', async () => {
  const gold = await goldOf();
  const hit = { ...code('probe(17)'), observation: { text: "'hit'" } };
  const rollouts = await Promise.all([
    rollout(chainRef, 3, 'submitted', [code('f()'), answer(gold)]),
    rollout(chainRef, 0, 'submitted', [answer('1')]),
    rollout(chainRef, 1, 'maxTurns', [code('f()')]),
    rollout(chainRef, 2, 'modelError', [code('f()'), answer(gold)], 'the policy worker is gone'),
    rollout(chainRef, 4, 'infraError', [code('f()')], 'the sandbox is gone'),
    rollout(chainRef, 5, 'cancelled', []),
    rollout(chainRef, 6, 'turnLength', [{}]),
    rollout(searchRef, 7, 'ended', [hit]),
    rollout(searchRef, 8, 'timeout', [hit]),
    rollout(searchRef, 9, 'maxTurns', [code('probe(1)')]),
  ]);
  const { summaries } = await grade({ run: 'run', step: 4, rollouts });
  expect(summaries.map(({ sibling, outcome, outcomeReward }) => [sibling, outcome, outcomeReward])).toEqual([
    [3, 'solved', 1],
    [0, 'failed', 0],
    [1, 'truncated', 0],
    [2, 'model_error', null],
    [4, 'infra_error', null],
    [5, 'cancelled', null],
    [6, 'truncated', 0],
    [7, 'solved', 1],
    [8, 'solved', 1],
    [9, 'truncated', 0],
  ]);
  expect(summaries[0]).toEqual({
    sibling: 3,
    taskId: 'chain/train/5',
    outcome: 'solved',
    stopReason: 'submitted',
    outcomeReward: 1,
    turns: 2,
    sampledTokens: 4,
    formatViolations: 0,
  });
});

test('the record holds the tokens, the texts and the execution, whether they came inline or as artifacts', async () => {
  const long = `x = '${'a'.repeat(1_000)}'`;
  const execution: ExecutionResult = { exitCode: 0, stdout: 'b'.repeat(500), stderr: '', timedOut: false, outOfMemory: false, truncated: false, durationMs: 3 };
  const { durationMs, exitCode, timedOut, outOfMemory, truncated } = execution;
  const summary = { exitCode, timedOut, outOfMemory, truncated, durationMs, result: await store.toText(JSON.stringify(execution)) };
  const first: Partial<PlayedTurn> = {
    action: { kind: 'code', code: await store.toText(long) },
    execution: summary,
    observation: await store.toText(execution.stdout),
    replayed: true,
  };
  const second: Partial<PlayedTurn> = {
    action: { kind: 'answer', answer: { text: '1' }, text: { text: 'I think <answer>1</answer>' } },
    formatViolation: true,
  };
  const [trajectory] = await trajectoriesOf(await grade({ run: 'run', step: 4, rollouts: [await rollout(chainRef, 1, 'submitted', [first, second])] }));
  expect(trajectory).toMatchObject({
    schemaVersion: 1,
    runId: 'run',
    step: 4,
    taskId: 'chain/train/5',
    task: chainRef,
    sibling: 1,
    seed: 101,
    stopReason: 'submitted',
  });
  expect(trajectory?.prompt).toMatch(/^What is the /);
  expect(trajectory?.turns[0]).toEqual({
    turn: 0,
    policyVersion: 2,
    givenTokens: [1, 2, 0],
    sampledTokens: [5, 4],
    behaviorLogprobs: [-0.5, -1.25],
    finishReason: 'stop',
    text: `<code>${long}</code>`,
    actionKind: 'code',
    code: long,
    execution,
    observation: execution.stdout,
    formatViolation: false,
    replayed: true,
  });
  expect(trajectory?.turns[1]).toMatchObject({ text: 'I think <answer>1</answer>', answer: '1', formatViolation: true });
});

test('a turn that quantised weights sampled says so in the record, and has no log-probabilities', async () => {
  const segment = encodeSegment({ given: Int32Array.of(1, 2), sampled: Int32Array.of(5, 4), weights: 'int4' });
  const rollouts = [await rollout(chainRef, 0, 'submitted', [{ ...answer(await goldOf()), segment: await store.toBytes(segment) }])];
  const result = await grade({ run: 'run', step: 4, rollouts });
  expect(result.summaries).toMatchObject([{ outcome: 'solved', outcomeReward: 1, sampledTokens: 2 }]);
  const [turn] = (await trajectoriesOf(result))[0]?.turns ?? [];
  expect(turn).toMatchObject({ givenTokens: [1, 2], sampledTokens: [5, 4], weights: 'int4' });
  expect(turn).not.toHaveProperty('behaviorLogprobs');
});

test('the same input gives the same artifact', async () => {
  const input = { run: 'run', step: 1, rollouts: [await rollout(chainRef, 0, 'submitted', [answer('1')])] };
  expect((await grade(input)).trajectories).toEqual((await grade(input)).trajectories);
});

test('a checker that breaks is tried again, and in the end an infrastructure error, never a reward of 0', async () => {
  const rollouts = [await rollout(programRef, 0, 'submitted', [answer('print(1)')]), await rollout(chainRef, 1, 'submitted', [answer(await goldOf())])];
  await expect(grade({ run: 'run', step: 1, rollouts }, checkerAttempts - 1)).rejects.toThrow('no session can be had');
  const result = await grade({ run: 'run', step: 1, rollouts }, checkerAttempts);
  expect(result.summaries.map(({ outcome, outcomeReward }) => [outcome, outcomeReward])).toEqual([
    ['infra_error', null],
    ['solved', 1],
  ]);
  expect((await trajectoriesOf(result))[0]?.failure).toBe('the code checker broke 3 times: no session can be had');
});

test('it heartbeats while the tasks are still being opened, and stops when it is cancelled', async () => {
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 30 });
  let beats = 0;
  const beaten = new Promise<void>((resolve) => {
    environment.on('heartbeat', () => {
      beats += 1;
      resolve();
    });
  });
  const opening = () => beaten.then(() => sources);
  const dependencies = { store, math, judge, config: async () => config, sources: opening };
  await environment.run(createGrade(dependencies), { run: 'run', step: 1, rollouts: [] });
  expect(beats).toBeGreaterThan(0);
  const cancelled = new MockActivityEnvironment();
  cancelled.cancel();
  const input = { run: 'run', step: 1, rollouts: [await rollout(chainRef, 0, 'submitted', [answer('1')])] };
  await expect(cancelled.run(createGrade(dependencies), input)).rejects.toThrow(/cancel/i);
});
