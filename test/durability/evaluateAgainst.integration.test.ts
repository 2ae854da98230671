/** @file `npm run evaluate` of two directories, by the command itself: paired, and without a difference where they are the same. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporalConfigWithOwnPorts } from '../support/ownPorts.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

const models = resolve(process.env['TURNWISE_GOLDEN'] ?? 'test/golden', 'models');

test('a model against another, and against itself', async () => {
  const home = await temporaryDirectory('against');
  const { TEMPORAL_ADDRESS: _other, ...inherited } = process.env;
  const env = { ...inherited, TURNWISE_HOME: home, TURNWISE_TEMPORAL_YAML: await temporalConfigWithOwnPorts(home) };
  const config = join(home, 'tasks.yaml');
  writeFileSync(config, JSON.stringify({ policy: { contextLength: 100 }, tasks: [{ family: 'chain' }], sampling: { maxTokensPerTurn: 4 } }));
  const evaluate = (against: string) => {
    const json = join(home, 'result.json');
    const script = ['scripts/evaluate.ts', join(models, 'qwen2-tiny'), '--against', join(models, against), '--config', config];
    const { status, stderr, stdout } = spawnSync(process.execPath, [...script, '--tasks', '6', '--modes', 'sampled', '--samples', '2', '--json', json], {
      env,
      encoding: 'utf8',
    });
    expect(status, `${stderr}\n${stdout}`).toBe(0);
    return { stdout, ...JSON.parse(readFileSync(json, 'utf8')) };
  };
  const other = evaluate('qwen3-tiny');
  expect(other.results).toMatchObject([{ mode: 'sampled', tasks: 6, samples: 12, counted: 12 }]);
  expect(other.against).toMatchObject([{ mode: 'sampled', tasks: 6, samples: 12, counted: 12 }]);
  expect(other.differences.map(({ figure, tasks }: { figure: string; tasks: number }) => [figure, tasks])).toEqual([
    ['avg@2', 6],
    ['pass@1', 6],
    ['pass@2', 6],
  ]);
  expect(other.stdout).toMatch(/difference +value +95 % interval/);
  const itself = evaluate('qwen2-tiny');
  expect(itself.against[0].meanTurns).toBe(itself.results[0].meanTurns);
  for (const { value, low, high } of itself.differences) expect([value, low, high]).toEqual([0, 0, 0]);
}, 280_000);
