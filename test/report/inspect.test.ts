/** @file `npm run inspect`: the real script on a run on disk, in its three views, as text and as JSON. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { sparkline } from '../../activities/records/inspect.ts';
import { writeSyntheticRun } from '../records/syntheticRun.ts';
import { temporaryHome } from '../records/temporaryHome.ts';

const script = join(import.meta.dirname, '../../scripts/inspect.ts');
let home = '';
beforeAll(async () => {
  const made = await temporaryHome();
  home = made.home;
  await writeSyntheticRun(home, made.store, { run: 'plain', steps: 6 });
  await writeSyntheticRun(home, made.store, { run: 'hostile', steps: 2, hostile: true });
}, 120_000);
const inspect = (...parameters: string[]) =>
  execFileSync(process.execPath, [script, ...parameters], { encoding: 'utf8', env: { ...process.env, TURNWISE_HOME: home } });

test('the summary: verdict, method, before and after, curves, trajectories, ledger', () => {
  const text = inspect('plain');
  expect(text).toContain('It worked: from 47.0 % to 90.0 % of held-out tasks solved (sampled).');
  expect(text).toContain('GTPO (arXiv 2511.14846), γ 0.9, α 0.5, format −0.1; similarity tokenCosine');
  expect(text).toMatch(/sampled +47\.0 % \(40\.2 % … 53\.9 %\) +90\.0 % \(85\.1 % … 93\.4 %\) +\+43\.00/);
  expect(text).toMatch(/Solved share +[▁▂▃▄▅▆▇█]{6}/);
  expect(text).toMatch(/turn 1 {2}code {2}accuracy 0 {2}format 0 {2}shaping 0 {2}return \+0\.81 {2}advantage [+−]/);
  expect(text).toMatch(/ledger: 192 rollouts in 24 groups, \d+ trained on/);
});

test('--step lists its rollouts, --rollout shows one of them, --json writes the same', async () => {
  expect(inspect('plain', '--step', '6').match(/^chain\/train\/2[4-7]\/[0-7] /gm)).toHaveLength(32);
  expect(inspect('plain', '--rollout', 'chain/train/24/r3')).toMatch(/^chain\/train\/24\/3 {2}/);
  const line = JSON.parse(inspect('plain', '--step', '1', '--rollout', 'chain/train/5/2', '--json'));
  expect([line.step, line.prompt_id, line.sibling, line.turns.length > 0]).toEqual([1, 'chain/train/5', 2, true]);
  const file = join(home, 'run.json');
  inspect('plain', '--json', file);
  const whole = JSON.parse(await readFile(file, 'utf8'));
  expect(whole).toMatchObject({ run: 'plain', comparisons: [{ mode: 'greedy' }, { mode: 'sampled' }], ledger: { rollouts: 192 } });
  expect(whole.steps[5].metrics['solved/mean']).toBe(whole.steps[5]['solved/mean']);
});

test('nothing that a policy wrote reaches the terminal as a control character', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the point of the test.
  expect(inspect('hostile')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test.each([
  [['nobody'], /run nobody: no such run in .*\/runs: it has hostile, .*plain/],
  [['plain', '--step', '99'], /expected a step with trajectories on disk \(1 … 6\), got 99/],
  [['plain', '--rollout', 'chain'], /expected a rollout named task\/sibling, such as chain\/train\/17\/3, got "chain"/],
  [['../up'], /run name: expected lower-case letters/],
])('%j: says what was expected and exits with 1', (parameters, message) => {
  const { status, stderr } = spawnSync(process.execPath, [script, ...parameters], { encoding: 'utf8', env: { ...process.env, TURNWISE_HOME: home } });
  expect([status, stderr]).toEqual([1, expect.stringMatching(message)]);
});

test('sparklines: the axis is the curve’s own, a flat curve is a line, a long one is averaged', () => {
  expect(sparkline([0, 0.5, 1], { range: [0, 1] })).toBe('▁▅█');
  expect(sparkline([3, 3], {})).toBe('▄▄');
  expect(
    sparkline(
      Array.from({ length: 800 }, (_, i) => i),
      {},
    ),
  ).toHaveLength(40);
});
