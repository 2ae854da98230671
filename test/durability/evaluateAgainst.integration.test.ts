/** @file `npm run evaluate` of two directories, by the command itself: paired, and without a difference where they are the same, except in the weights. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporalConfigWithOwnPorts } from '../support/ownPorts.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

const models = resolve(process.env['TURNWISE_GOLDEN'] ?? 'test/golden', 'models');

interface Evaluated {
  readonly stdout: string;
  readonly results: readonly { readonly weights: string; readonly meanTurns: number }[];
  readonly against: readonly { readonly weights: string; readonly meanTurns: number }[];
  readonly differences: readonly { readonly figure: string; readonly tasks: number; readonly value: number; readonly low: number; readonly high: number }[];
}

async function evaluations(name: string) {
  const home = await temporaryDirectory(name);
  const { TEMPORAL_ADDRESS: _other, ...inherited } = process.env;
  const env = { ...inherited, TURNWISE_HOME: home, TURNWISE_TEMPORAL_YAML: await temporalConfigWithOwnPorts(home) };
  const config = join(home, 'tasks.yaml');
  writeFileSync(config, JSON.stringify({ policy: { contextLength: 100 }, tasks: [{ family: 'chain' }], sampling: { maxTokensPerTurn: 4 } }));
  const evaluate = (against: string, ...more: string[]): Evaluated => {
    const json = join(home, 'result.json');
    const script = ['scripts/evaluate.ts', join(models, 'qwen2-tiny'), '--against', join(models, against), '--config', config, ...more];
    const { status, stderr, stdout } = spawnSync(process.execPath, [...script, '--tasks', '6', '--modes', 'sampled', '--samples', '2', '--json', json], {
      env,
      encoding: 'utf8',
    });
    expect(status, `${stderr}\n${stdout}`).toBe(0);
    return { stdout, ...JSON.parse(readFileSync(json, 'utf8')) };
  };
  return { home, evaluate };
}

test('a model against another, and against itself', async () => {
  const { evaluate } = await evaluations('against');
  const other = evaluate('qwen3-tiny');
  expect(other.results).toMatchObject([{ mode: 'sampled', tasks: 6, samples: 12, counted: 12, weights: 'float32' }]);
  expect(other.against).toMatchObject([{ mode: 'sampled', tasks: 6, samples: 12, counted: 12, weights: 'float32' }]);
  expect(other.differences.map(({ figure, tasks }) => [figure, tasks])).toEqual([
    ['avg@2', 6],
    ['pass@1', 6],
    ['pass@2', 6],
  ]);
  expect(other.stdout).toMatch(/difference +value +95 % interval/);
  const itself = evaluate('qwen2-tiny');
  expect(itself.against[0]?.meanTurns).toBe(itself.results[0]?.meanTurns);
  for (const { value, low, high } of itself.differences) expect([value, low, high]).toEqual([0, 0, 0]);
}, 280_000);

test('a model with int8 against itself as it is trained: one run, and its quantised turns alone have no log-probabilities', async () => {
  const { home, evaluate } = await evaluations('int8');
  const model = join(models, 'qwen2-tiny');
  const { results, against, differences, stdout } = evaluate('qwen2-tiny', '--weights', 'int8');
  expect(results).toMatchObject([{ samples: 12, counted: 12, weights: 'int8' }]);
  expect(against).toMatchObject([{ samples: 12, counted: 12, weights: 'float32' }]);
  expect(differences).toHaveLength(3);
  expect(stdout).toContain(`${model} with int8 − ${model} with float32`);
  // The run that is made of the model is a means: what is measured follows it.
  expect(stdout).not.toContain('a closer measurement');
  expect(readdirSync(join(home, 'runs'))).toHaveLength(1);
  const turns = trajectoriesIn(home).flatMap((trajectory) => trajectory.turns);
  const kinds = turns.map(({ weights, behaviorLogprobs }) => `${weights ?? 'float32'} ${behaviorLogprobs === undefined ? 'without' : 'with'}`);
  expect(new Set(kinds)).toEqual(new Set(['int8 without', 'float32 with']));
}, 280_000);

/** Of every graded page in the artifact store. */
function trajectoriesIn(home: string): { readonly turns: readonly { readonly weights?: string; readonly behaviorLogprobs?: readonly number[] }[] }[] {
  const files = readdirSync(join(home, 'artifacts'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8')).filter((text) => text.startsWith('{"schemaVersion"'));
  return texts.flatMap((text) => text.trimEnd().split('\n')).map((line) => JSON.parse(line));
}
