/** @file An adapter leaves its run as PEFT loads it, or merged as transformers loads it: the same numbers either way. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { exportPolicy } from '../../activities/checkpoint/exportPolicy.ts';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { createPolicyModel } from '../../activities/policy/decoding/policyModel.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import { hyperparametersOf } from '../../core/run/hyperparameters.ts';
import { decode } from '../decoding/policies.ts';
import { goldenFolder } from '../model/goldenModels.ts';
import { everyToken } from '../model/trainingRows.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { batchFor } from '../trainer/batches.ts';
import { run, TestedTrainer, testedConfig } from '../trainer/trainerProcess.ts';

const python = process.env['TURNWISE_PYTHON'];
const ids = [0, 1].map((row) => Int32Array.from({ length: 24 }, (_, t) => 3 + ((t * 37 + row * 11) % 310)));
let trainer: TestedTrainer;
let checkpoints: string;
let home: string;

beforeAll(async () => {
  home = await temporaryDirectory('adapter-export');
  trainer = new TestedTrainer(home);
  const lora = { rank: 4, alpha: 8, rsLora: true };
  const optimizer = { lr: 0.02, lrWarmupSteps: 0 };
  const policySettings = { path: join(goldenFolder, 'models/llama-tiny-bf16'), contextLength: 100, turnFormat: 'fences', lora };
  const config = testedConfig({ policy: policySettings, warmup: { steps: 0 }, training: { steps: 3, optimizer } });
  const { policy } = await trainer.prepareRun(config);
  const batch = await batchFor(trainer, policy, 1);
  await trainer.update({ step: 1, policy, batch, temperature: 1, hyperparameters: hyperparametersOf(config) });
  ({ checkpoints } = runPaths(home, run));
}, 60_000);
afterAll(() => trainer.loaded.close());

test('merged or not, it is the same policy, and merging again gives the same bytes', async () => {
  const plain = await exportPolicy(checkpoints, 1, join(home, 'plain'));
  const merged = await exportPolicy(checkpoints, 1, join(home, 'merged'), true);
  const again = await exportPolicy(checkpoints, 1, join(home, 'again'), true);
  expect(again.files).toEqual(merged.files);
  expect(Object.keys(plain.files)).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors']));
  expect(Object.keys(merged.files)).toEqual(expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']));
  expect(Object.keys(merged.files)).not.toContain('adapter_config.json');
  expect(await readPolicyDirectory(merged.directory)).toEqual(await readPolicyDirectory(plain.directory));
});

(python === undefined ? test.skip : test)(
  'PEFT and transformers (TURNWISE_PYTHON) compute from the two exports what turnwise does, to 1e-5, and continue alike',
  async () => {
    const [plain, merged] = [await exportPolicy(checkpoints, 1, join(home, 'p')), await exportPolicy(checkpoints, 1, join(home, 'm'), true)];
    const ours = await ourAnswer(merged.directory);
    for (const { directory } of [plain, merged]) {
      const theirs = pythonAnswer(directory);
      const differences = theirs.logprobs.flatMap((row, i) => row.map((value, t) => Math.abs(value - (ours.logprobs[i]?.[t + 1] as number))));
      expect(Math.max(...differences)).toBeLessThan(1e-5);
      expect(theirs.greedy).toEqual(ours.greedy);
    }
  },
  180_000,
);

async function ourAnswer(directory: string) {
  const { config, weights } = await readPolicyDirectory(directory);
  const compute = new Trainer(config, weights, null, null, { threads: 1 });
  const logprobs = await compute.logprobs(ids.map(everyToken), weights, 1, 4096, () => {});
  await compute.release();
  const model = await createPolicyModel('exported', config, weights);
  const rule = { temperature: 0, topK: 0, topP: 1 };
  const generations = await decode(
    model,
    ids.map((row, seed) => ({ context: row.subarray(0, 8), seed, rule, maxTokens: 12, endTokens: [] })),
  );
  await model.release();
  return { logprobs, greedy: generations.map(({ tokens }) => [...tokens]) };
}

function pythonAnswer(directory: string): { readonly logprobs: readonly (readonly number[])[]; readonly greedy: readonly (readonly number[])[] } {
  const script = join(import.meta.dirname, 'peft_logprobs.py');
  const { status, stdout, stderr } = spawnSync(python as string, [script, directory], {
    input: JSON.stringify({ ids: ids.map((row) => [...row]) }),
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1) as string);
}
