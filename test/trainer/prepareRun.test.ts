/** @file Making a run, and finding where it stands. */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, readlink, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { openTaskSources } from '../../activities/tasks/taskSources.ts';
import { run, TestedTrainer, testedConfig } from './trainerProcess.ts';

const golden = join(process.env['TURNWISE_GOLDEN'] ?? join(import.meta.dirname, '..', 'golden'), 'models');
let home: string;
let trainer: TestedTrainer;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnwise-prepare-'));
  trainer = new TestedTrainer(home);
});
afterEach(async () => {
  await trainer.loaded.close();
  await rm(home, { recursive: true, force: true });
});

test('a new run gets its configuration and global_step_0; asked again, nothing changes', async () => {
  const config = testedConfig();
  const made = await trainer.prepareRun(config);
  expect(made).toEqual({
    policy: { policyVersion: 0, checkpoint: 'checkpoints/global_step_0', manifestSha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    warmupStep: 0,
    step: 0,
    before: [],
    warnings: [],
  });
  expect(JSON.parse(await readFile(runPaths(home, run).config, 'utf8'))).toEqual(config);
  const { weights } = await readPolicyDirectory(join(home, 'runs', run, made.policy.checkpoint, 'policy'));
  expect([...weights.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(604_032);
  expect(await trainer.prepareRun(config)).toEqual(made);
});

test('the initial policy depends on the seed, and not on the run’s name or place', async () => {
  const elsewhere = new TestedTrainer(join(home, 'elsewhere'));
  const here = await trainer.prepareRun(testedConfig());
  expect((await elsewhere.prepareRun(testedConfig())).policy).toEqual(here.policy);
  const other = await new TestedTrainer(join(home, 'other')).prepareRun(testedConfig({ seed: 6 }));
  expect(other.policy.manifestSha256).not.toBe(here.policy.manifestSha256);
});

test('another configuration under the same name is refused with every key that differs', async () => {
  await trainer.prepareRun(testedConfig());
  const changed = testedConfig({ seed: 6, training: { steps: 4 } });
  await expect(trainer.prepareRun(changed)).rejects.toMatchObject({
    type: 'ConfigError',
    nonRetryable: true,
    message: expect.stringContaining('(stored → given): seed: 5 → 6; training.steps: 3 → 4. Go on with the stored one by `npm run resume -- tested`'),
  });
});

test('a policy directory is taken over: same weights, its own tokenizer and template, evaluated as it is', async () => {
  const path = join(golden, 'qwen2-tiny');
  const config = testedConfig({ policy: { path, contextLength: 100, turnFormat: 'fences' }, warmup: { steps: 0 } });
  const { policy } = await trainer.prepareRun(config);
  const directory = join(home, 'runs', run, policy.checkpoint, 'policy');
  const [copy, original] = [await readPolicyDirectory(directory), await readPolicyDirectory(path)];
  expect(copy).toEqual(original);
  expect(await readFile(join(directory, 'tokenizer.json'), 'utf8')).toBe(await readFile(join(path, 'tokenizer.json'), 'utf8'));
  expect(await readFile(join(directory, 'chat_template.jinja'), 'utf8')).toBe(await readFile(join(path, 'chat_template.jinja'), 'utf8'));
});

test.each([
  ['a directory that is gone', { path: '/nowhere' }, /policy\.path: .*\/nowhere/],
  [
    'a context longer than the model’s positions',
    { path: join(golden, 'qwen2-tiny'), contextLength: 500 },
    /policy\.contextLength: expected at most the model's max_position_embeddings 128, got 500/,
  ],
])('%s is a configuration error, and leaves no checkpoint', async (_, changes, message) => {
  const valid = testedConfig({ policy: { path: join(golden, 'qwen2-tiny'), contextLength: 100, turnFormat: 'fences' }, warmup: { steps: 0 } });
  const config = { ...valid, policy: { ...valid.policy, ...changes } };
  await expect(trainer.prepareRun(config)).rejects.toMatchObject({ type: 'ConfigError', nonRetryable: true, message: expect.stringMatching(message) });
  await expect(readlink(join(runPaths(home, run).checkpoints, 'latest'))).rejects.toThrow(/ENOENT/);
});

test('a task file that changed under a run is refused with both hashes, by its trainer and by whoever draws from it', async () => {
  const file = join(home, 'sums.jsonl');
  const rows = Array.from({ length: 60 }, (_, i) => JSON.stringify({ question: `How much is ${i} plus ${i}?`, answer: `${2 * i}` })).join('\n');
  await writeFile(file, rows);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const tasks = [{ name: 'sums', file, checker: 'numeric', heldOutFraction: 0.2 }];
  const config = testedConfig({ policy: { vocabulary: 'bytes' }, tasks, warmup: { steps: 0 } });
  const made = await trainer.prepareRun(config);
  await writeFile(file, `${rows}\n${JSON.stringify({ question: 'How much is 1 plus 3?', answer: '4' })}`);
  const refusal = new RegExp(
    `sums\\.jsonl: expected the file that the run was configured with \\(sha256 ${sha256(rows)}\\), got another \\(sha256 [0-9a-f]{64}\\); put the old one back`,
  );
  await expect(trainer.prepareRun(config)).rejects.toMatchObject({ type: 'ConfigError', nonRetryable: true, message: expect.stringMatching(refusal) });
  await expect(openTaskSources(config)).rejects.toThrow(refusal);
  await writeFile(file, rows);
  expect(await trainer.prepareRun(config)).toEqual(made);
});

test('bad tasks are refused before anything is written', async () => {
  const file = join(home, 'sums.jsonl');
  await writeFile(file, JSON.stringify({ question: 'How much is 1 plus 1?', answer: '2' }));
  const tasks = [{ name: 'sums', file, checker: 'numeric' }];
  const config = testedConfig({ policy: { vocabulary: 'bytes' }, tasks, warmup: { steps: 0 } });
  await expect(trainer.prepareRun(config)).rejects.toMatchObject({ type: 'ConfigError', message: expect.stringMatching(/expected at least 8 training tasks/) });
  await expect(readFile(runPaths(home, run).config)).rejects.toThrow(/ENOENT/);
});

test('an embedding model that does not load is found before the warm-up', async () => {
  const model = join(home, 'embedder');
  await mkdir(join(model, 'onnx'), { recursive: true });
  await writeFile(join(model, 'onnx/model.onnx'), 'no model');
  const config = testedConfig({ credit: { similarity: 'embedding', embeddingModel: model } });
  const message = `${join(model, 'tokenizer.json')}: expected a file of the embedding model (credit.embeddingModel), found none`;
  await expect(trainer.prepareRun(config)).rejects.toMatchObject({ type: 'ConfigError', nonRetryable: true, message });
});

test('a torn checkpoint is passed over with a warning, and latest is repaired', async () => {
  const config = testedConfig();
  const start = await trainer.prepareRun(config);
  const first = await trainer.warmUp({ policy: start.policy, fromStep: 1, toStep: 2 });
  const { checkpoints } = runPaths(home, run);
  await cp(join(checkpoints, 'warmup_step_2'), join(checkpoints, 'warmup_step_4'), { recursive: true });
  await truncate(join(checkpoints, 'warmup_step_4/policy/model.safetensors'), 1000);
  await unlink(join(checkpoints, 'latest'));
  await symlink('warmup_step_4', join(checkpoints, 'latest'));
  const found = await trainer.prepareRun(config);
  expect(found).toMatchObject({ policy: first.policy, warmupStep: 2, step: 0 });
  expect(found.warnings).toEqual([
    expect.stringMatching(/^checkpoint warmup_step_4: policy\/model\.safetensors: expected \d+ bytes, got 1000; the file is torn\. Refused/),
  ]);
  expect(await readlink(join(checkpoints, 'latest'))).toBe('warmup_step_2');
}, 120_000);

test('evaluations of the policy that reinforcement learning starts from are found again', async () => {
  const config = testedConfig({ warmup: { steps: 0 } });
  await trainer.prepareRun(config);
  const result = { policyVersion: 0, mode: 'sampled', tasks: 4, samples: 4, solved: 1, counted: 4, solvedShare: 0.25, standardError: 0.2, meanTurns: 2 };
  const lines = [
    { step: 0, time: 'x', ...result },
    { step: 0, time: 'x', ...result, policyVersion: 9 },
    { step: 2, time: 'x', ...result },
  ];
  await writeFile(runPaths(home, run).evaluations, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  expect((await trainer.prepareRun(config)).before).toEqual([result]);
});
