/** @file What `npm run evaluate` says of arguments that cannot be meant so, before it starts a server or makes a run. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { endedCommand } from '../support/endedCommand.ts';
import { homeWithRun } from '../trainer/homeWithRun.ts';
import { run } from '../trainer/trainerProcess.ts';

const model = resolve('test/golden/models/qwen2-tiny');
let home = '';

beforeAll(async () => {
  home = await homeWithRun('wrong-evaluation');
});

/** `{home}` stands for the directory of this test. */
const wrong: readonly (readonly [args: string, message: string])[] = [
  ['nonsense', 'nonsense: expected a run, a checkpoint or a Hugging Face directory (with config.json or adapter_config.json), found none of them; runs under'],
  ['./test', './test: expected a run, a checkpoint or a Hugging Face directory'],
  ['hub:', 'expected hub:org/name or hub:org/name@revision, got "hub:"'],
  [`${run} --checkpoint global_step_9`, `run ${run}: expected one of its checkpoints, global_step_0, got global_step_9`],
  [`${run} --against nonsense`, 'nonsense: expected a run, a checkpoint or a Hugging Face directory'],
  [`${run} --against ${model}`, `${model} cannot play the tasks of run ${run}: policy.contextLength: expected at most the model's max_position_embeddings 128`],
  [
    model,
    `${model} cannot play the tasks of examples/quickstart.yaml: policy.contextLength: expected at most the model's max_position_embeddings 128, got 160`,
  ],
  [`${run} --weights int2`, "option '--weights <precision>' argument 'int2' is invalid. Allowed choices are float32, int8, int4."],
  [`${run} --modes fast`, 'expected greedy, sampled or greedy,sampled, got fast'],
  [`${run} --tasks 0`, 'expected a whole number from 1 on, got 0'],
  [`${run} --json {home}/none/x.json`, 'expected a file that can be written, got {home}/none/x.json: there is no directory {home}/none'],
  [`${run} --json {home}`, 'expected a file that can be written, got {home}: that is a directory'],
  [`${run} --family chain`, '--family: it has no effect on a run, which is measured on its own tasks'],
  [`${run} --config x.yaml`, '--config: it has no effect on a run'],
  [`${run} --modes greedy --samples 2`, '--samples: it has no effect in mode greedy'],
  [`${model} --checkpoint global_step_0`, '--checkpoint: it has no effect on a directory; name a run'],
  [`${model} --checker math`, '--checker: it has no effect without --task-file'],
  [`${model} --family chain --task-file x.jsonl`, '--family, --task-file: expected one of them, got both'],
];

test.each(wrong)('%s', async (args, message) => {
  const [typed, expected] = [args, message].map((text) => text.replaceAll('{home}', home)) as [string, string];
  const { code, stdout, stderr } = await endedCommand('evaluate', typed.split(' '), home);
  expect(stderr).toContain(expected);
  expect([code, stdout]).toEqual([1, '']);
  expect(existsSync(join(home, 'processes'))).toBe(false);
  expect(readdirSync(join(home, 'runs'))).toEqual([run]);
});
