/** @file An adapter's directory, as other software writes it, served and exported: it answers as its merged model does. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { exportOnnx } from '../../activities/checkpoint/exportOnnx.ts';
import { namedPolicy } from '../../activities/checkpoint/namedPolicy.ts';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { goldenFolder } from '../model/goldenModels.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { serve } from './server.ts';

let folder = '';
let adapter = '';

/** Two files and no tokenizer, with a base that lies somewhere. */
beforeAll(async () => {
  folder = await temporaryDirectory('served-adapter');
  adapter = join(folder, 'adapter');
  cpSync(join(goldenFolder, 'models/qwen2-tiny-lora'), adapter, { recursive: true, filter: (path) => !path.includes('expected') });
  nameBase(join(goldenFolder, 'models/qwen2-tiny'));
});

function nameBase(path: string): void {
  const file = join(adapter, 'adapter_config.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), base_model_name_or_path: path }));
}

const asked = { model: 'tested', messages: [{ role: 'user' as const, content: 'def f' }], temperature: 0, max_completion_tokens: 12, logprobs: true };

test('it is named, exported to ONNX as a whole model, and both answer alike', async () => {
  const named = await namedPolicy(folder, adapter);
  expect(named).toMatchObject({ name: 'adapter', path: adapter });
  const whole = join(folder, 'whole');
  const files = await exportOnnx(adapter, 'adapter', whole);
  expect(Object.keys(files)).toEqual(expect.arrayContaining(['config.json', 'model.onnx', 'model.safetensors', 'tokenizer.json']));
  expect(Object.keys(files)).not.toContain('adapter_config.json');
  expect(await readPolicyDirectory(whole)).toEqual(await readPolicyDirectory(adapter));
  const answers = await Promise.all([adapter, whole].map(async (path) => (await serve(path)).client.chat.completions.create(asked)));
  expect(answers[0]?.choices).toEqual(answers[1]?.choices);
  const base = await (await serve(join(goldenFolder, 'models/qwen2-tiny'))).client.chat.completions.create(asked);
  expect(base.choices[0]?.logprobs).not.toEqual(answers[0]?.choices[0]?.logprobs);
});

test('another base is another policy, and a missing one is said', async () => {
  const { key } = await namedPolicy(folder, adapter);
  const moved = join(folder, 'base');
  cpSync(join(goldenFolder, 'models/qwen2-tiny'), moved, { recursive: true });
  writeFileSync(join(moved, 'generation_config.json'), '{}');
  nameBase(moved);
  expect((await namedPolicy(folder, adapter)).key).not.toBe(key);
  nameBase(join(folder, 'nowhere'));
  const expected =
    /adapter: expected the adapter's base model at .*nowhere, found none; put it there, or change base_model_name_or_path in adapter_config\.json/;
  for (const use of [() => namedPolicy(folder, adapter), () => serve(adapter), () => exportOnnx(adapter, 'x', join(folder, 'never'))]) {
    await expect(use()).rejects.toThrow(expected);
  }
});
