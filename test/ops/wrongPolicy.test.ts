/** @file What `npm run export` and `npm run serve` say of a policy, a place or an address that they cannot use, and what they do with those that they can. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { endedCommand } from '../support/endedCommand.ts';
import { servedCommand } from '../support/servedCommand.ts';
import { homeWithRun } from '../trainer/homeWithRun.ts';
import { run } from '../trainer/trainerProcess.ts';

const model = resolve('test/golden/models/qwen2-tiny');
let home = '';

beforeAll(async () => {
  home = await homeWithRun('wrong-policy');
  mkdirSync(join(home, 'full'));
  mkdirSync(join(home, 'empty'));
  writeFileSync(join(home, 'full/file'), '');
});

/** `{home}` stands for the directory of this test. */
const wrong: readonly (readonly [command: 'export' | 'serve', args: string, message: string])[] = [
  ['export', 'nonsense --out {home}/x', 'run nonsense: no such run in {home}/runs: it has tested'],
  ['export', './test --out {home}/x', 'export: expected the name of a run, got ./test; of a directory or a name on the hub it makes --onnx alone'],
  ['export', 'hub:org/tiny --out {home}/x', 'export: expected the name of a run, got hub:org/tiny; of a directory or a name on the hub it makes --onnx alone'],
  ['export', './test --onnx --out {home}/empty', './test: expected a run, a checkpoint or a Hugging Face directory'],
  [
    'export',
    `${model} --onnx --step 3 --out {home}/x`,
    `export --step: it has no effect on ${model}; name a run, or the checkpoint's own directory without --step`,
  ],
  ['export', `${run} --step 9 --out {home}/x`, 'checkpoint global_step_9: expected it in {home}/runs/tested/checkpoints, which has global_step_0'],
  ['export', `${run} --out {home}/full`, 'export: expected {home}/full not to exist, or to be an empty directory; choose another --out'],
  ['export', `${model} --onnx --out {home}/full`, 'export: expected {home}/full not to exist, or to be an empty directory; choose another --out'],
  ['export', `hub:org/tiny --onnx --out {home}/full`, 'export: expected {home}/full not to exist, or to be an empty directory; choose another --out'],
  ['export', `${run} --out {home}/full/file/x`, 'export: expected {home}/full/file to be a directory or to become one, got'],
  ['serve', `{home}/runs/${run}`, `{home}/runs/${run}: expected a checkpoint or a Hugging Face directory, got that of a run; name the run, ${run}, or`],
  ['serve', `${run} --checkpoint global_step_9`, 'checkpoint global_step_9: expected it in {home}/runs/tested/checkpoints, which has global_step_0'],
  ['serve', `${run} --port 65536`, 'expected a port from 0 to 65535, got 65536'],
  [
    'serve',
    `${run} --port 0 --host 192.0.2.1`,
    'serve: expected to listen on 192.0.2.1, port 0, got EADDRNOTAVAIL: this machine has no such address; choose a --host',
  ],
];

test.each(wrong)('%s %s', async (command, args, message) => {
  const [typed, expected] = [args, message].map((text) => text.replaceAll('{home}', home)) as [string, string];
  const { code, stdout, stderr } = await endedCommand(command, typed.split(' '), home);
  expect(stderr).toContain(expected);
  expect([code, stdout]).toEqual([1, '']);
  expect(readdirSync(home).toSorted()).toEqual(
    ['artifacts', 'empty', 'full', 'runs'].filter((name) => name !== 'artifacts' || readdirSync(home).includes(name)),
  );
});

test('a port that is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => other.once('listening', listening));
  const { port } = other.address() as AddressInfo;
  try {
    const { code, stderr } = await endedCommand('serve', [run, '--port', String(port)], home);
    expect(stderr).toContain(`serve: expected to listen on 127.0.0.1, port ${port}, got EADDRINUSE: another program listens there; choose another --port`);
    expect(code).toBe(1);
  } finally {
    other.close();
  }
});

test('what is exported is named as it was asked for', async () => {
  const first = async (subject: string, out: string, ...more: string[]) => {
    const { code, stdout, stderr } = await endedCommand('export', [subject, '--out', join(home, out), ...more], home);
    expect([code, stderr]).toEqual([0, '']);
    return stdout.split('\n')[0];
  };
  expect(await first(run, 'a')).toBe(`global_step_0 of ${run} → ${join(home, 'a')}`);
  const checkpoint = join(home, 'runs', run, 'checkpoints/global_step_0');
  expect(await first(checkpoint, 'b', '--onnx')).toBe(`${checkpoint} → ${join(home, 'b')}`);
});

test('a server says with which weights it answers', async () => {
  const { said, code } = await servedCommand([run, '--weights', 'int8'], { TURNWISE_HOME: home });
  expect(said).toMatch(/^tested \(global_step_0\), context \d+ tokens, weights int8, as model "tested" at http:/);
  expect(code).toBe(0);
});
