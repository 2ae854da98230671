/** @file Making a run on a model of the hub while the network or the disk fails: tried again, where a wrong configuration is not. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { commit, golden, hubHome } from '../checkpoint/hub/hubHome.ts';
import { deadUrl, startHub } from '../checkpoint/hub/hubServer.ts';
import { TestedTrainer, testedConfig } from './trainerProcess.ts';

const hubModel = `hub:org/tiny@${commit}`;
let home = '';
let trainer: TestedTrainer;

beforeEach(async () => {
  home = await hubHome('prepare-hub');
  vi.stubEnv('TURNWISE_HOME', home);
  trainer = new TestedTrainer(home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await trainer.loaded.close();
});

function chatsOnHub() {
  const file = join(home, 'chats.jsonl');
  writeFileSync(
    file,
    `${JSON.stringify({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
    })}\n`,
  );
  return testedConfig({ policy: { path: hubModel, contextLength: 100, turnFormat: 'fences' }, warmup: { chats: { file }, steps: 2, stepsPerCommit: 2 } });
}

/** Of other software: its base is on the hub. */
function adapterOnHub() {
  const path = join(home, 'adapter');
  mkdirSync(path);
  for (const name of ['adapter_model.safetensors', 'adapter_config.json']) writeFileSync(join(path, name), readFileSync(join(golden, 'qwen2-tiny-lora', name)));
  const described = { ...JSON.parse(readFileSync(join(path, 'adapter_config.json'), 'utf8')), base_model_name_or_path: 'org/tiny', revision: commit };
  writeFileSync(join(path, 'adapter_config.json'), JSON.stringify(described));
  return testedConfig({ policy: { path, contextLength: 100, turnFormat: 'fences' }, warmup: { steps: 0 } });
}

test.each([
  ['the tokenizer of chats', chatsOnHub],
  ['the base of an adapter', adapterOnHub],
])('without a network, %s is asked for again', async (_what, configOf) => {
  vi.stubEnv('HF_ENDPOINT', await deadUrl());
  await expect(trainer.prepareRun(configOf())).rejects.toMatchObject({ name: 'HubUnreachable', message: /^hub:org\/tiny@.*ECONNREFUSED/ });
});

test.each([
  ['the tokenizer of chats', chatsOnHub],
  ['the base of an adapter', adapterOnHub],
])('without room on the disk, %s is asked for again', async (_what, configOf) => {
  const server = await startHub({ repo: 'org/tiny', commit, directory: join(golden, 'qwen2-tiny'), announcedSize: 2 ** 52 });
  vi.stubEnv('HF_ENDPOINT', server.url);
  await expect(trainer.prepareRun(configOf())).rejects.toMatchObject({ type: 'DiskFull', nonRetryable: false });
});

test('a model that the hub has not is refused for good', async () => {
  const server = await startHub({ repo: 'org/other', commit, directory: join(golden, 'qwen2-tiny') });
  vi.stubEnv('HF_ENDPOINT', server.url);
  await expect(trainer.prepareRun(adapterOnHub())).rejects.toMatchObject({
    type: 'ConfigError',
    nonRetryable: true,
    message: /policy\.path: .*look at the name/,
  });
});
