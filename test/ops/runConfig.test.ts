/** @file A run's configuration: defaults, overrides, and the errors that name what is wrong. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadRunConfig } from '../../workers/config/runConfig.ts';
import { loadTemporalConfig } from '../../workers/config/temporalConfig.ts';

const quickstart = 'examples/quickstart.yaml';
const problemOf = (...overrides: string[]) => {
  try {
    loadRunConfig(quickstart, overrides);
  } catch (error) {
    return (error as Error).message.replace(/^.*\n\s*/, '');
  }
  return 'accepted';
};

test('every example is valid', async () => {
  const files = (await readdir('examples')).filter((file) => file.endsWith('.yaml'));
  expect(files.length).toBeGreaterThanOrEqual(6);
  for (const file of files) expect(loadRunConfig(join('examples', file)).version).toBe(1);
});

test('the quickstart spells out the defaults, and runs its own tasks in the embedded sandbox', () => {
  const own = ['tasks=[{family: chain, options: {hops: [1, 2, 2, 3, 3]}}]', 'sandbox.backend=embedded'];
  expect(loadRunConfig(quickstart)).toEqual(loadRunConfig(undefined, own));
});

test('demonstrations are as imperfect as the recipe says, so that reinforcement learning has room', () => {
  expect(loadRunConfig(undefined).warmup).toMatchObject({ flawlessFraction: 0.2, answerWeight: 4, steps: 1200, batchSize: 16 });
  expect(readFileSync(quickstart, 'utf8')).toContain('flawlessFraction: 0.2');
});

test('overrides reach into objects and lists', () => {
  const config = loadRunConfig(quickstart, [
    'training.steps=5',
    'tasks.0.family=debug',
    'tasks.0.name=mine',
    'tasks.0.options={}',
    'evaluation.modes=[sampled]',
  ]);
  expect([config.training.steps, config.tasks[0], config.evaluation.modes]).toEqual([
    5,
    { name: 'mine', family: 'debug', weight: 1, options: {} },
    ['sampled'],
  ]);
});

describe('paths', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'turnwise-config-'));
    await mkdir(join(directory, 'data'));
    await writeFile(join(directory, 'data/own.jsonl'), '{"question": "1 + 1?", "answer": "2"}\n');
    const tasks = '[{ name: own, file: data/own.jsonl, checker: numeric }, { family: chain }]';
    await writeFile(join(directory, 'run.yaml'), `policy: { preset: S, vocabulary: bytes }\ntasks: ${tasks}\n`);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('of a file start at its directory, those of overrides at the working directory; the file is bound by its sha256', () => {
    const file = join(directory, 'run.yaml');
    const sha256 = createHash('sha256').update('{"question": "1 + 1?", "answer": "2"}\n').digest('hex');
    expect(loadRunConfig(file).tasks[0]).toMatchObject({ file: join(directory, 'data/own.jsonl'), sha256 });
    expect(loadRunConfig(relative(process.cwd(), file)).tasks[0]).toMatchObject({ file: join(directory, 'data/own.jsonl') });
    expect(loadRunConfig(file, ['tasks.0.file=examples/own-tasks.jsonl']).tasks[0]).toMatchObject({ file: resolve('examples/own-tasks.jsonl') });
  });

  test('a model directory is absolute and must be one', () => {
    const golden = process.env['TURNWISE_GOLDEN'] ?? 'test/golden';
    expect(loadRunConfig(undefined, [`policy={path: ${golden}/models/qwen2-tiny, contextLength: 100}`]).policy.path).toBe(resolve(golden, 'models/qwen2-tiny'));
    expect(() => loadRunConfig(undefined, [`policy={path: ${directory}}`])).toThrow(
      `policy.path: expected a Hugging Face directory with config.json or adapter_config.json, got ${directory}`,
    );
    expect(() => loadRunConfig(undefined, ['credit={similarity: embedding, embeddingModel: data}'])).toThrow(
      `credit.embeddingModel: expected a Hugging Face directory with onnx/model.onnx, got ${resolve('data')}: download one`,
    );
  });

  test('a directory is no task file', () => {
    expect(() => loadRunConfig(join(directory, 'run.yaml'), [`tasks.0.file=${directory}`])).toThrow('tasks[0].file: expected a JSONL or parquet file');
  });
});

test.each([
  ['training.stpes=5', 'training.stpes: unknown key; did you mean steps? (allowed: steps, '],
  ['tasks.0.famly=chain', 'tasks[0].famly: unknown key; did you mean family? (allowed: name, family, '],
  ['warmup.optimizer.Lr=1', 'warmup.optimizer.Lr: unknown key; did you mean lr?'],
  ['credit.normalization=grp', 'credit.normalization: Invalid option: expected one of "group"|"batch"|"turnIndex", got "grp"'],
  ['training.groupSize=1', 'training.groupSize: expected at least 2, since advantages compare siblings, got 1'],
  ['training.microBatchTokens=4096', 'training.microBatchTokens: expected at most 1536, got 4096: larger micro-batches are slower and are never made'],
  ['policy.contextLength=4000', 'policy.contextLength: expected at most 1024 with preset nano, got 4000'],
  ['policy.path=absent', 'policy.preset: has no effect, because policy.path names a model: remove it'],
  [
    'tasks=[{family: program}]',
    'tasks[0].family: the tags vocabulary encodes chain, debug, calc, search only, got program: set policy.vocabulary=bytes, or policy.path',
  ],
  ['tasks=[{family: chain, options: {hop: [1]}}]', "tasks[0].options: options of task family 'chain': unknown option 'hop'; expected one of hops, warmupHops"],
  ['tasks=[{name: a, file: absent.jsonl, checker: exact}]', 'tasks[0].file: expected a JSONL or parquet file, got '],
  ['evaluation.modes=[sampled, sampled]', 'evaluation.modes: expected each mode once, got sampled, sampled'],
  ['sandbox={backend: embedded, rollback: false}', 'sandbox.rollback: has no effect, because sandbox.backend is embedded: remove it'],
  ['sandbox={backend: embedded, image: science}', 'sandbox.image: has no effect, because sandbox.backend is embedded: remove it'],
  ['sandbox.rollback=perhaps', 'sandbox.rollback: Invalid input: expected boolean, got "perhaps"'],
  ['sandbox.backend=podman', 'sandbox.backend: Invalid option: expected one of "auto"|"embedded"|"docker", got "podman"'],
  ['warmup.steps=many', 'warmup.steps: Invalid input: expected number, got "many"'],
  ['training.steps=[1', 'override training.steps=[1: expected YAML: Flow sequence must end with a ]'],
  ['credit.embeddingModel=x', 'credit.embeddingModel: has no effect, because credit.similarity is tokenCosine: remove it'],
  ['warmup.steps=0', 'warmup.batchSize: has no effect, because warmup.steps is 0: remove it'],
])('%s is refused', (override, message) => {
  expect(problemOf(override)).toContain(message);
});

test('a run that asks for another sandbox than the environment gives is refused', () => {
  vi.stubEnv('TURNWISE_SANDBOX', 'embedded');
  try {
    expect(problemOf('sandbox.backend=embedded')).toBe('accepted');
    expect(problemOf('sandbox.backend=docker')).toBe(
      'sandbox.backend: the run asks for docker, TURNWISE_SANDBOX=embedded gives its workers another: change one of them',
    );
  } finally {
    vi.unstubAllEnvs();
  }
});

test('turn-level keys are refused under GRPO, which would ignore them', () => {
  expect(problemOf('credit.method=grpo')).toBe('accepted');
  expect(problemOf('credit.method=grpo', 'credit.gamma=0.9')).toBe(
    'credit.gamma: has no effect, because credit.method is grpo, which has neither discount nor shaping: remove it',
  );
});

test('temporal.yaml names the queues that the workflows use, and nothing unknown', async () => {
  const { taskQueues, devServer } = loadTemporalConfig();
  expect([taskQueues.policy.name, taskQueues.workflows.stickyTimeout, devServer.retention]).toEqual(['turnwise-policy', 2000, 720 * 3_600_000]);
  const directory = await mkdtemp(join(tmpdir(), 'turnwise-config-'));
  try {
    await writeFile(join(directory, 'temporal.yaml'), 'version: 1\naddress: elsewhere:7233\n');
    expect(() => loadTemporalConfig(join(directory, 'temporal.yaml'))).toThrow(/address: unknown key/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
