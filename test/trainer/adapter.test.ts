/** @file A run that trains an adapter: what its checkpoints hold, bit-identity after restarts, and a base that must stay as it was. */
import { appendFile, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { readSafetensors } from '../../activities/checkpoint/safetensors.ts';
import type { PolicyRef } from '../../core/rollout/types.ts';
import type { RunConfig } from '../../core/run/config.ts';
import { hyperparametersOf } from '../../core/run/hyperparameters.ts';
import { goldenFolder } from '../model/goldenModels.ts';
import { batchFor } from './batches.ts';
import { run, TestedTrainer, testedConfig } from './trainerProcess.ts';

const golden = join(goldenFolder, 'models');
const lora = { rank: 4, alpha: 8, targetModules: ['q_proj', 'v_proj', 'down_proj'] };
let home: string;
const trainers: TestedTrainer[] = [];

function trainerAt(name: string): TestedTrainer {
  const trainer = new TestedTrainer(join(home, name));
  trainers.push(trainer);
  return trainer;
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnwise-adapter-'));
});
afterEach(async () => {
  for (const trainer of trainers.splice(0)) await trainer.loaded.close();
  await rm(home, { recursive: true, force: true });
});

function configOn(path: string, changes: object = { lora }): RunConfig {
  return testedConfig({ policy: { path, contextLength: 100, turnFormat: 'fences', ...changes }, warmup: { steps: 0 } });
}

async function steps(trainer: TestedTrainer, config: RunConfig, klCoefficient = 0, between: () => Promise<void> = async () => {}): Promise<PolicyRef> {
  let { policy } = await trainer.prepareRun(config);
  for (const step of [1, 2]) {
    const batch = await batchFor(trainer, policy, step);
    ({ policy } = await trainer.update({ step, policy, batch, temperature: 1, hyperparameters: { ...hyperparametersOf(config), klCoefficient } }));
    await between();
  }
  return policy;
}

const policyOf = (trainer: TestedTrainer, { checkpoint }: PolicyRef) => join(runPaths(trainer.home, run).root, checkpoint, 'policy');

// Float32 in one file, float32 in shards, bfloat16: mapped where it lies, and widened first.
test.each(['qwen2-tiny', 'qwen3-tiny', 'llama-tiny-bf16'])(
  '%s: a checkpoint holds the adapter, its moments and the hash of its base; restarts change no bit',
  async (name) => {
    const config = configOn(join(golden, name));
    const memory = trainerAt('memory');
    const last = await steps(memory, config, 0.1);
    const restarted = trainerAt('disk');
    expect(await steps(restarted, config, 0.1, () => restarted.loaded.close())).toEqual(last);
    const directory = policyOf(memory, last);
    expect(await readdir(directory)).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'base_model.json', 'tokenizer.json']));
    expect(await readdir(directory)).not.toContain('config.json');
    const { tensors } = await readSafetensors(join(directory, 'adapter_model.safetensors'));
    expect(tensors.size).toBe(2 * 3 * 2);
    const { tensors: moments } = await readSafetensors(join(directory, '../optimizer.safetensors'));
    expect(moments.size).toBe(2 * tensors.size);
    const b = tensors.get('base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight')?.data as Float32Array;
    expect(b.some((value) => value !== 0)).toBe(true);
  },
  120_000,
);

test('a new adapter changes nothing, a trained one only what it targets', async () => {
  const path = join(golden, 'qwen2-tiny');
  const trainer = trainerAt('one');
  const last = await steps(trainer, configOn(path));
  const base = await readPolicyDirectory(path);
  const [first, trained] = [
    await readPolicyDirectory(policyOf(trainer, { ...last, checkpoint: 'checkpoints/global_step_0' })),
    await readPolicyDirectory(policyOf(trainer, last)),
  ];
  expect(first).toEqual(base);
  const changed = [...base.weights].filter(
    ([name, { data }]) => !Buffer.from(data.buffer).equals(Buffer.from((trained.weights.get(name)?.data as Float32Array).buffer)),
  );
  expect(changed.map(([name]) => name)).toEqual([...base.weights.keys()].filter((name) => /(q_proj|v_proj|down_proj)\.weight$/.test(name)));
}, 60_000);

test('an adapter that PEFT made is trained further, on the base that it names', async () => {
  const directory = join(home, 'from-peft');
  await cp(join(golden, 'qwen2-tiny-lora'), directory, { recursive: true });
  const described = JSON.parse(await readFile(join(directory, 'adapter_config.json'), 'utf8'));
  await rm(join(directory, 'adapter_config.json'));
  await appendFile(join(directory, 'adapter_config.json'), JSON.stringify({ ...described, base_model_name_or_path: join(golden, 'qwen2-tiny') }));
  const trainer = trainerAt('further');
  const { policy } = await trainer.prepareRun(configOn(directory, {}));
  const [taken, given] = [
    await readSafetensors(join(policyOf(trainer, policy), 'adapter_model.safetensors')),
    await readSafetensors(join(directory, 'adapter_model.safetensors')),
  ];
  expect(taken.tensors).toEqual(given.tensors);
  expect(await steps(trainer, configOn(directory, {}))).toMatchObject({ policyVersion: 2 });
}, 60_000);

test('a base that has changed since is refused by the name of its file', async () => {
  const base = join(home, 'base');
  await cp(join(golden, 'qwen2-tiny'), base, { recursive: true });
  const trainer = trainerAt('changed');
  const config = configOn(base);
  const { policy } = await trainer.prepareRun(config);
  const batch = await batchFor(trainer, policy, 1);
  await appendFile(join(base, 'config.json'), '\n');
  await expect(trainer.update({ step: 1, policy, batch, temperature: 1, hyperparameters: hyperparametersOf(config) })).rejects.toMatchObject({
    type: 'BadCheckpoint',
    message: expect.stringContaining('config.json has changed'),
  });
}, 60_000);

test('an adapter needs a model to lie on', () => {
  expect(() => testedConfig({ policy: { lora } })).toThrow(/policy\.lora: has no effect, because a model built from nothing has no weights worth keeping/);
  expect(() => testedConfig({ policy: { path: join(golden, 'qwen2-tiny'), lora: { ranks: 4 } } })).toThrow(
    /policy\.lora\.ranks: unknown key; did you mean rank\?/,
  );
});
