/** @file Models by their hub name, from a real server on loopback: what is fetched, that it is checked, and what goes wrong on the way. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { adapterConfigFileName } from '../../../activities/checkpoint/adapterDirectory.ts';
import { modelDirectoryOf, pinnedModel } from '../../../activities/checkpoint/modelSource.ts';
import { readPolicyDirectory } from '../../../activities/checkpoint/policyDirectory.ts';
import { initialPolicy } from '../../../activities/trainer/initialPolicy.ts';
import { isHubName, parseHubName } from '../../../core/model/hubName.ts';
import { loadRunConfig } from '../../../workers/config/runConfig.ts';
import { withPinnedModel } from '../../../workers/modelPlan.ts';
import { commit, golden, hubHome, tiny, tinyHubAsked } from './hubHome.ts';
import { deadUrl } from './hubServer.ts';

let home = '';
let cache = '';

beforeEach(async () => {
  home = await hubHome('hub');
  cache = join(home, 'hf', 'hub', 'models--org--tiny');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const weightsSize = statSync(join(tiny, 'model.safetensors')).size;
const incomplete = () => readdirSync(join(cache, 'blobs')).filter((name) => name.endsWith('.incomplete'));

test('only what a model needs is fetched, into the layout that other tools read, and only once', async () => {
  const server = await tinyHubAsked();
  const directory = await modelDirectoryOf('hub:org/tiny');
  expect(directory).toBe(join(cache, 'snapshots', commit));
  expect(readFileSync(join(cache, 'refs/main'), 'utf8')).toBe(commit);
  const needed = readdirSync(tiny).filter((name) => !name.startsWith('expected'));
  expect(readdirSync(directory).toSorted()).toEqual(needed.toSorted());
  expect(server.asked.at(-1)).toBe('model.safetensors');
  expect(readlinkSync(join(directory, 'config.json'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
  expect(readlinkSync(join(directory, 'model.safetensors'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
  expect(await readPolicyDirectory(directory)).toEqual(await readPolicyDirectory(tiny));
  const asked = server.asked.length;
  await modelDirectoryOf(`hub:org/tiny@${commit}`);
  server.options.status = 500;
  expect(await modelDirectoryOf('hub:org/tiny')).toBe(directory);
  expect(server.asked).toHaveLength(asked);
});

test('shards come with their index', async () => {
  await tinyHubAsked({ directory: join(golden, 'qwen3-tiny') });
  expect(await readPolicyDirectory(await modelDirectoryOf('hub:org/tiny@v1'))).toEqual(await readPolicyDirectory(join(golden, 'qwen3-tiny')));
});

test('a connection that breaks: the next attempt goes on from there', async () => {
  const server = await tinyHubAsked({ breakAfter: 10_000, leaveOut: /^tokenizer\.json$/ });
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({ name: 'HubUnreachable' });
  const [left] = incomplete();
  const bytes = statSync(join(cache, 'blobs', left ?? '')).size;
  expect(bytes).toBeGreaterThan(0);
  await modelDirectoryOf('hub:org/tiny');
  expect(server.asked.at(-1)).toBe(`model.safetensors bytes=${bytes}-`);
  expect(incomplete()).toEqual([]);
});

test('a server without ranges begins again, and the file is right all the same', async () => {
  await tinyHubAsked({ breakAfter: 10_000, ignoresRanges: true });
  for (let attempt = 0; attempt < 2; attempt++) await modelDirectoryOf('hub:org/tiny').catch(() => undefined);
  expect(await readPolicyDirectory(await modelDirectoryOf('hub:org/tiny'))).toEqual(await readPolicyDirectory(tiny));
});

test('wrong bytes are refused and removed, and never become a file of the snapshot', async () => {
  const server = await tinyHubAsked({ corrupt: true });
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toThrow(
    /model\.safetensors of org\/tiny: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}; what came is removed/,
  );
  expect([incomplete(), existsSync(join(cache, 'snapshots', commit, 'model.safetensors'))]).toEqual([[], false]);
  server.options.corrupt = false;
  await modelDirectoryOf('hub:org/tiny');
});

test('kill -9 while it downloads: started again, it goes on where it was', async () => {
  const server = await tinyHubAsked({ bytesAtATime: 4096 });
  const start = () => spawn(process.execPath, [join(import.meta.dirname, 'fetchModel.ts'), 'hub:org/tiny'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const killed = start();
  const closed = once(killed, 'close');
  while (!server.asked.includes('model.safetensors') || incomplete().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 100));
  killed.kill('SIGKILL');
  await closed;
  expect(existsSync(join(cache, 'snapshots', commit, 'model.safetensors'))).toBe(false);
  server.sent = 0;
  server.options.bytesAtATime = weightsSize;
  const again = start();
  await once(again, 'close');
  expect(again.exitCode).toBe(0);
  expect(server.asked.at(-1)).toMatch(/^model\.safetensors bytes=\d+-$/);
  expect(server.sent).toBeLessThan(weightsSize);
  expect(await readPolicyDirectory(join(cache, 'snapshots', commit))).toEqual(await readPolicyDirectory(tiny));
}, 60_000);

test('a gated model: without a token, with a wrong one, with the right one', async () => {
  await tinyHubAsked({ token: 'hf_right' });
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({
    name: 'HubRefusal',
    message: /gated, private or absent; accept its terms at .*\/org\/tiny and set HF_TOKEN \(401/,
  });
  vi.stubEnv('HF_TOKEN', 'hf_wrong');
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({ name: 'HubRefusal', message: /expected HF_TOKEN to give access.*\(403/ });
  vi.stubEnv('HF_TOKEN', 'hf_right');
  await modelDirectoryOf('hub:org/tiny');
});

test('what is not there, cannot be used, or does not fit is said', async () => {
  const server = await tinyHubAsked();
  await expect(modelDirectoryOf('hub:org/other')).rejects.toMatchObject({
    name: 'HubRefusal',
    message: /hub:org\/other@main: expected a model and revision that exist/,
  });
  server.options.leaveOut = /safetensors/;
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({
    name: 'HubRefusal',
    message: /expected model\.safetensors or its shards, found chat_template\.jinja/,
  });
  server.options.leaveOut = /^$/;
  server.options.announcedSize = 2 ** 52;
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({ name: 'DiskFullError', message: /a model of the hub needs 45\d+ bytes/ });
});

test('no network: what is whole in the cache is used, else the reason is said', async () => {
  const dead = await deadUrl();
  vi.stubEnv('HF_ENDPOINT', dead);
  await expect(modelDirectoryOf('hub:org/tiny')).rejects.toMatchObject({
    name: 'HubUnreachable',
    message: /expected an answer from http:\/\/127\.0\.0\.1:\d+, got ECONNREFUSED.*name a directory/,
  });
  await tinyHubAsked();
  const directory = await modelDirectoryOf('hub:org/tiny');
  vi.stubEnv('HF_ENDPOINT', dead);
  expect(await modelDirectoryOf('hub:org/tiny')).toBe(directory);
  vi.stubEnv('TURNWISE_HOME', join(home, 'elsewhere')); // as if another tool had filled the cache
  expect(await modelDirectoryOf('hub:org/tiny')).toBe(directory);
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  expect(await modelDirectoryOf('hub:org/tiny')).toBe(directory);
  await expect(modelDirectoryOf('hub:org/tiny@v1')).rejects.toThrow('HF_HUB_OFFLINE is set');
});

test('a run keeps the commit, and its adapter names the base by it', async () => {
  await tinyHubAsked();
  const overrides = ['policy={path: "hub:org/tiny", lora: {rank: 2}, contextLength: 64, turnFormat: fences}', 'warmup={steps: 0}'];
  const loaded = loadRunConfig(undefined, [...overrides, 'tasks=[{family: arithmetic}]']);
  await expect(initialPolicy(loaded)).rejects.toThrow('with the commit of its revision');
  const config = await withPinnedModel(loaded);
  expect(config.policy.path).toBe(`hub:org/tiny@${commit}`);
  const { files } = await initialPolicy(config);
  const json = (name: string) => JSON.parse(Buffer.from(files.get(name) ?? []).toString());
  expect(json('base_model.json').model).toBe(`hub:org/tiny@${commit}`);
  expect(json(adapterConfigFileName)).toMatchObject({ base_model_name_or_path: 'org/tiny', revision: commit });
});

test('an adapter of other software whose base is a name on the hub', async () => {
  await tinyHubAsked();
  const adapter = join(home, 'adapter');
  mkdirSync(adapter);
  for (const name of ['adapter_model.safetensors', 'adapter_config.json'])
    writeFileSync(join(adapter, name), readFileSync(join(golden, 'qwen2-tiny-lora', name)));
  const config = JSON.parse(readFileSync(join(adapter, adapterConfigFileName), 'utf8'));
  writeFileSync(join(adapter, adapterConfigFileName), JSON.stringify({ ...config, base_model_name_or_path: 'org/tiny', revision: 'v1' }));
  const merged = await readPolicyDirectory(adapter);
  writeFileSync(join(adapter, adapterConfigFileName), JSON.stringify({ ...config, base_model_name_or_path: tiny }));
  expect(merged).toEqual(await readPolicyDirectory(adapter));
});

test('a base that an adapter names without its commit is pinned in the configuration, and stays what it was', async () => {
  const server = await tinyHubAsked();
  const adapter = join(home, 'adapter');
  mkdirSync(adapter);
  for (const name of ['adapter_model.safetensors', 'adapter_config.json'])
    writeFileSync(join(adapter, name), readFileSync(join(golden, 'qwen2-tiny-lora', name)));
  const described = JSON.parse(readFileSync(join(adapter, adapterConfigFileName), 'utf8'));
  writeFileSync(join(adapter, adapterConfigFileName), JSON.stringify({ ...described, base_model_name_or_path: 'org/tiny', revision: null }));
  const overrides = (base: string) => [
    `policy={path: ${adapter}, contextLength: 64, turnFormat: fences${base}}`,
    'warmup={steps: 0}',
    'tasks=[{family: arithmetic}]',
  ];
  const loaded = loadRunConfig(undefined, overrides(''));
  await expect(initialPolicy(loaded)).rejects.toThrow("policy.base: expected the commit of the adapter's base hub:org/tiny@main");
  const config = await withPinnedModel(loaded);
  expect(config.policy).toEqual({ ...loaded.policy, base: `hub:org/tiny@${commit}` });
  // Tomorrow main is another commit, of which nothing is here.
  writeFileSync(join(cache, 'refs/main'), 'abad1dea'.padEnd(40, '0'));
  server.options.status = 500;
  const { files } = await initialPolicy(config);
  expect(JSON.parse(Buffer.from(files.get('base_model.json') ?? []).toString()).model).toBe(`hub:org/tiny@${commit}`);
  expect(await withPinnedModel(config)).toEqual(config);
  await expect(withPinnedModel(loadRunConfig(undefined, overrides(', base: "hub:org/other"')))).rejects.toThrow('policy.base: expected a revision of the base');
  const whole = loadRunConfig(undefined, overrides(', base: "hub:org/tiny"'));
  await expect(withPinnedModel({ ...whole, policy: { ...whole.policy, path: tiny } })).rejects.toThrow('policy.base: it has no effect');
});

test.each([
  ['hub:org/name', { repo: 'org/name', revision: 'main' }],
  ['hub:gpt2@v1.0', { repo: 'gpt2', revision: 'v1.0' }],
  ['hub:org/name@refs/pr/1', { repo: 'org/name', revision: 'refs/pr/1' }],
])('%s is a name', (text, expected) => {
  expect([isHubName(text), parseHubName(text)]).toEqual([true, expected]);
});

test.each(['hub:', 'hub:../x', 'hub:a/b/c', 'hub:a/b@', 'hub:a/b@../x', 'hub:a/../b'])('%s is none', (text) => {
  expect(() => parseHubName(text)).toThrow('expected hub:org/name');
});

test('a revision is pinned without fetching files', async () => {
  const server = await tinyHubAsked();
  expect(await pinnedModel('hub:org/tiny@v1')).toBe(`hub:org/tiny@${commit}`);
  expect(server.asked).toEqual([]);
});
