/** @file Who asks the hub: any token goes to the hub and to nobody else, and a mistake is never taken for a missing network. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { modelDirectoryOf, pinnedModel } from '../../../activities/checkpoint/modelSource.ts';
import { readPolicyDirectory } from '../../../activities/checkpoint/policyDirectory.ts';
import { commit, hubHome, tiny, tinyHub } from './hubHome.ts';

const oldCommit = 'abad1dea'.padEnd(40, '0');
let home = '';

beforeEach(async () => {
  home = await hubHome('access');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function rememberOldCommit(): string {
  const refs = join(home, 'hf', 'hub', 'models--org--tiny', 'refs');
  mkdirSync(refs, { recursive: true });
  writeFileSync(join(refs, 'main'), oldCommit);
  return join(refs, 'main');
}

test('a token of a mirror, which does not begin with hf_, is sent as it is, and main is what it is today', async () => {
  const server = await tinyHub({ token: 'glpat-mirror' });
  vi.stubEnv('HF_ENDPOINT', server.url);
  vi.stubEnv('HF_TOKEN', 'glpat-mirror');
  const ref = rememberOldCommit();
  const directory = await modelDirectoryOf('hub:org/tiny');
  expect([directory.endsWith(commit), readFileSync(ref, 'utf8')]).toEqual([true, commit]);
  expect(new Set(server.authorizations)).toEqual(new Set(['Bearer glpat-mirror']));
});

test('the token follows neither a redirect nor a listing to another origin', async () => {
  const storage = await tinyHub();
  const server = await tinyHub({ token: 'hf_secret', redirectWeights: storage.url, nextPage: storage.url });
  vi.stubEnv('HF_ENDPOINT', server.url);
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  expect(await readPolicyDirectory(await modelDirectoryOf('hub:org/tiny'))).toEqual(await readPolicyDirectory(tiny));
  expect(storage.asked).toEqual(['model.safetensors']);
  expect(storage.authorizations).toEqual([undefined, undefined]);
});

test.each([
  ['a token that cannot be sent', { HF_TOKEN: 'hf_a b' }, /^HF_TOKEN: expected letters(?!.*hf_a b)/],
  ['an endpoint that is no URL', { HF_ENDPOINT: 'mirror' }, /HF_ENDPOINT: expected a URL.*"mirror"/],
])('%s is refused, without its secret, and no old commit is used', async (_what, environment, message) => {
  vi.stubEnv('HF_ENDPOINT', (await tinyHub()).url);
  for (const [key, value] of Object.entries(environment)) vi.stubEnv(key, value);
  rememberOldCommit();
  const refused = expect(pinnedModel('hub:org/tiny')).rejects;
  await refused.toMatchObject({ name: 'HubRefusal', message });
});

test('a file that cannot be written is no network that is missing', async () => {
  vi.stubEnv('HF_ENDPOINT', (await tinyHub()).url);
  const fetching = `ulimit -f 16; exec "$0" ${join(import.meta.dirname, 'fetchModel.ts')} hub:org/tiny`;
  const child = spawn('bash', ['-c', fetching, process.execPath], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect(said).toMatch(/EFBIG/);
  expect(said).not.toMatch(/check the network/);
});

test('an address that fetch never asks is refused by its key', async () => {
  vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
  rememberOldCommit();
  await expect(pinnedModel('hub:org/tiny')).rejects.toMatchObject({ name: 'HubRefusal', message: /HF_ENDPOINT.*bad port/ });
});
