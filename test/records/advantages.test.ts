/** @file The activity `advantages`: what it writes, that a retry changes nothing, and that errors never become rewards. */
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createAdvantages } from '../../activities/advantages.ts';
import { runPaths } from '../../activities/artifacts/paths.ts';
import type { ArtifactStore } from '../../activities/artifacts/store.ts';
import { type LedgerLine, readLines } from '../../activities/records/lines.ts';
import type { TrajectoryLine } from '../../activities/records/trajectoryLine.ts';
import type { Trajectory } from '../../core/rollout/trajectory.ts';
import { type BatchRow, decodeBatch, encodeBatch } from '../../core/run/batch.ts';
import { asActivity, creditInput, put, trajectoryOf } from './syntheticRun.ts';
import { temporaryHome } from './temporaryHome.ts';

let [home, store]: [string, ArtifactStore] = ['', undefined as never];
beforeEach(async () => {
  ({ home, store } = await temporaryHome());
});
const advantages = (input: Parameters<ReturnType<typeof createAdvantages>>[0]) => asActivity(createAdvantages({ home, store }))(input);
const written = (step: number) => readLines<TrajectoryLine>(join(runPaths(home, 'synthetic').trajectories, `step_${String(step).padStart(6, '0')}.jsonl`));
const ledger = () => readLines<LedgerLine>(runPaths(home, 'synthetic').ledger);

const mixed = (step: number, task = 'chain/train/1') => [
  trajectoryOf(step, task, 0, 'solved', [{ code: "boss('kj')", output: "'iu'" }, { answer: 'iu' }]),
  trajectoryOf(step, task, 1, 'failed', [{ code: "boss('kj')", output: "'iu'", formatViolation: true }, { answer: 'mo' }]),
  trajectoryOf(step, task, 2, 'infra_error', [{ code: 'f()', output: '1' }], { failure: 'sandbox worker lost twice' }),
];
const uniform = (step: number) => [0, 1].map((sibling) => trajectoryOf(step, 'chain/train/2', sibling, 'solved', [{ answer: '1' }]));

test('every turn carries its reward parts, return and advantage', async () => {
  await advantages(await creditInput(store, 1, [mixed(1)]));
  const [solved, failed, errored] = await written(1);
  expect(solved?.turns.map(({ reward, return: value }) => [reward, value])).toEqual([
    [{ acc: 0, format: 0, shaping: 0 }, 0.9],
    [{ acc: 1, format: 0, shaping: 0 }, 1],
  ]);
  expect(failed?.turns.map(({ reward }) => reward)).toEqual([
    { acc: 0, format: -0.1, shaping: 0 },
    { acc: 0, format: 0, shaping: 0.5 },
  ]);
  expect(failed?.turns.map((turn) => turn.return)).toEqual([expect.closeTo(0.35, 12), 0.5]);
  const pool = [solved, failed].flatMap((line) => line?.turns.map((turn) => turn.advantage ?? Number.NaN) ?? []);
  expect(pool.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
  expect(pool.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(4, 12);
  expect(errored).toMatchObject({ outcome: 'infra_error', reward: null, trained: false, excluded_because: 'infra_error: sandbox worker lost twice' });
  expect(errored?.turns[0]).toMatchObject({ reward: null, return: null, advantage: null });
});

test('messages are OpenAI chat messages, and nothing of the tokens is lost', async () => {
  await advantages(await creditInput(store, 1, [mixed(1)]));
  const [line] = await written(1);
  expect(line?.messages).toEqual([
    { role: 'user', content: 'What is asked in chain/train/1?' },
    {
      role: 'assistant',
      content: "<code>boss('kj')</code>",
      tool_calls: [{ id: 'call_0', type: 'function', function: { name: 'python', arguments: '{"code":"boss(\'kj\')"}' } }],
    },
    { role: 'tool', content: "'iu'", tool_call_id: 'call_0' },
    { role: 'assistant', content: '<answer>iu</answer>' },
  ]);
  const original = mixed(1)[0]?.turns[1];
  const turn = line?.turns[1];
  expect(turn?.token_ids.slice(turn.prompt_len)).toEqual(original?.sampledTokens);
  expect(turn?.token_ids.slice(0, turn.prompt_len)).toEqual(original?.givenTokens);
  expect(turn?.loss_mask).toEqual([...(original?.givenTokens ?? []).map(() => 0), ...(original?.sampledTokens ?? []).map(() => 1)]);
  expect(turn?.logprobs.map(Math.fround)).toEqual(original?.behaviorLogprobs);
  expect(line?.usage).toEqual({ prompt_tokens: 31, completion_tokens: 23 + 19, tool_tokens: 4 });
});

test('the batch holds what was sampled, each token with its turn’s advantage', async () => {
  const { batch } = await advantages(await creditInput(store, 1, [mixed(1), uniform(1)]));
  const rows = decodeBatch(await store.get(batch as NonNullable<typeof batch>));
  expect(rows.map(({ taskId, sibling }) => [taskId, sibling])).toEqual([
    ['chain/train/1', 0],
    ['chain/train/1', 1],
  ]);
  const [row, [line]] = [rows[0] as BatchRow, await written(1)];
  expect(Array.from(row.tokens)).toEqual(line?.turns.flatMap((turn) => turn.token_ids));
  expect(Array.from(row.sampledMask)).toEqual(line?.turns.flatMap((turn) => turn.loss_mask));
  const spread = line?.turns.flatMap((turn) => turn.loss_mask.map((sampled) => (sampled ? Math.fround(turn.advantage as number) : 0)));
  expect(Array.from(row.advantages)).toEqual(spread);
  expect(Array.from(row.behaviorLogprobs.filter((_, t) => row.sampledMask[t] === 0))).toEqual(Array.from({ length: 35 }, () => 0));
});

test('the ledger says for every rollout whether it was trained on, and why not', async () => {
  const input = await creditInput(store, 3, [mixed(3), uniform(3)]);
  await advantages({ ...input, groups: [...input.groups, { taskId: 'chain/train/9', trajectories: [], failure: 'no policy worker answered' }] });
  expect((await ledger()).map(({ group_id, sibling, trained, reason }) => [group_id, sibling, trained, reason])).toEqual([
    ['s3/t0', 0, true, undefined],
    ['s3/t0', 1, true, undefined],
    ['s3/t0', 2, false, 'infra_error: sandbox worker lost twice'],
    ['s3/t1', 0, false, 'uniform_group: all 2 counted siblings are solved'],
    ['s3/t1', 1, false, 'uniform_group: all 2 counted siblings are solved'],
    ['s3/t2', null, false, 'not_played: no policy worker answered'],
  ]);
  expect((await ledger())[0]?.turns).toEqual([
    { turn: 0, policy_version: 2, sampled_tokens: 23, replayed: false },
    { turn: 1, policy_version: 2, sampled_tokens: 19, replayed: false },
  ]);
});

test('metrics: errors are counted as errors, never as reward 0', async () => {
  const { metrics } = await advantages(await creditInput(store, 1, [mixed(1), uniform(1)]));
  expect(metrics).toMatchObject({
    'reward/mean': (1 + 0.4 + 1 + 1) / 4,
    'reward/accuracy': 0.75,
    'reward/format': -0.025,
    'reward/shaping': 0.125,
    frac_reward_zero_std: 0.5,
    'groups/count': 2,
    'groups/dropped': 1,
    'groups/mean_counted': 2,
    'solved/mean': 0.75,
    'num_turns/mean': 1.5,
    'tools/failure_frequency': 0,
    'format/violation_frequency': 1 / 6,
    rollouts: 5,
    errored_rollouts: 1,
    'trained/rollouts': 2,
    'trained/tokens': 2 * (23 + 19),
  });
});

test('a retry after any crash gives the same bytes everywhere', async () => {
  const inputs = [await creditInput(store, 1, [mixed(1), uniform(1)]), await creditInput(store, 2, [mixed(2)])] as const;
  const results = [await advantages(inputs[0]), await advantages(inputs[1])];
  const files = () =>
    Promise.all(
      [runPaths(home, 'synthetic').ledger, join(runPaths(home, 'synthetic').trajectories, 'step_000002.jsonl')].map((path) => readFile(path, 'utf8')),
    );
  const before = await files();
  await appendFile(runPaths(home, 'synthetic').ledger, '{"schema_version":1,"step":3,"task_');
  expect([await advantages(inputs[0]), await advantages(inputs[1])]).toEqual(results);
  expect(await files()).toEqual(before);
});

test('the batch does not depend on the run’s name or on how a group was cut into artifacts', async () => {
  const whole = await advantages(await creditInput(store, 1, [mixed(1)]));
  const [first, second, third] = mixed(1) as [never, never, never];
  const parts = { taskId: 'chain/train/1', trajectories: [await put(store, [second]), await put(store, [third, first])] };
  const renamed = await advantages({ ...(await creditInput(store, 1, [])), run: 'another', groups: [parts] });
  expect(renamed.batch).toEqual(whole.batch);
});

test('nothing to train on is no batch', async () => {
  expect((await advantages(await creditInput(store, 1, [uniform(1)]))).batch).toBeNull();
});

test('similarity embedding without a model says what is missing; with one it is used', async () => {
  const input = await creditInput(store, 1, [mixed(1)]);
  const embedding = { ...input, credit: { ...input.credit, similarity: 'embedding' as const, embeddingModel: 'models/code' } };
  await expect(advantages(embedding)).rejects.toThrow('credit.similarity embedding: expected credit.embeddingModel and a worker that loads it');
  const embed = async (_model: string, texts: readonly string[]) => texts.map((_, i) => (i === 0 ? [1, 0] : [0.6, 0.8]));
  await asActivity(createAdvantages({ home, store, embed }))(embedding);
  expect((await written(1))[1]?.turns[1]?.reward?.shaping).toBeCloseTo(0.3, 12);
});

test('a batch survives its bytes; torn or foreign bytes are refused', () => {
  const row: BatchRow = {
    taskId: 'größe/train/7',
    sibling: 3,
    tokens: Int32Array.of(5, -1, 70_000),
    sampledMask: Uint8Array.of(0, 1, 1),
    behaviorLogprobs: Float32Array.of(0, -0.25, -1.5),
    advantages: Float32Array.of(0, 1.5, -2),
  };
  expect(decodeBatch(encodeBatch([row, row]))).toEqual([row, row]);
  expect(() => decodeBatch(encodeBatch([row]).subarray(0, 50))).toThrow('decodeBatch: expected row 0 to end at');
  expect(() => decodeBatch(Buffer.from('not a batch'))).toThrow('TWB1');
});

test.each(['int8', 'int4'])('a rollout that was sampled with weights %s is refused, and nothing is written', async (weights) => {
  const [solved, failed] = mixed(1) as [Trajectory, Trajectory];
  const turns = failed.turns.map(({ behaviorLogprobs, ...turn }, k) => (k === 1 ? { ...turn, weights } : { ...turn, behaviorLogprobs }));
  const input = await creditInput(store, 1, [[solved, { ...failed, turns } as unknown as Trajectory]]);
  const message = `advantages, chain/train/1 r1 turn 1: expected a rollout sampled with the weights that are trained, got weights ${weights}; play it again`;
  await expect(advantages(input)).rejects.toMatchObject({ type: 'OtherWeights', nonRetryable: true, message });
  expect([await written(1), await ledger()]).toEqual([[], []]);
});

test('a rollout whose turns have lost their log-probabilities makes no row', async () => {
  const [solved, failed] = mixed(1) as [Trajectory, Trajectory];
  const turns = failed.turns.map((turn) => ({ ...turn, behaviorLogprobs: [] }));
  const count = failed.turns[0]?.sampledTokens.length;
  const message = `batchRow chain/train/1/r1: expected ${count} log-probabilities for turn 0, got 0`;
  await expect(advantages(await creditInput(store, 1, [[solved, { ...failed, turns }]]))).rejects.toThrow(message);
});
