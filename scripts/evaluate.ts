/**
 * @file Measures a policy on held-out tasks: the newest checkpoint of a run, or a Hugging Face directory.
 * @example npm run evaluate -- quickstart-1123-141503 --tasks 500
 * @example npm run evaluate -- quickstart-1123-141503 --modes sampled --samples 8 --against global_step_0
 * @example npm run evaluate -- quickstart-1123-141503 --weights int8 --against quickstart-1123-141503
 * @example npm run evaluate -- ./my-model --against ./its-base --family chain --modes sampled --samples 4
 * @example npm run evaluate -- ./my-model --config examples/own-tasks.yaml --modes greedy
 */
import { writeFileSync } from 'node:fs';
import { Option } from 'commander';
import { type WeightPrecision, weightPrecisions } from '../core/model/quantisation.ts';
import type { RunConfig } from '../core/run/config.ts';
import type { EvaluateInput, EvaluationResult } from '../core/run/types.ts';
import { loadRunConfig } from '../workers/config/runConfig.ts';
import { askWorkersFor } from '../workers/config/sandboxBackend.ts';
import type { Processes } from '../workers/supervisor/supervisor.ts';
import { evaluationTable } from './display/evaluationTable.ts';
import { differences, differenceTable, passTable } from './display/passTable.ts';
import { configOfRun, isCheckpointOf, measuredPolicy } from './evaluations/measured.ts';
import { modesOf, playEvaluation, type Weighed } from './evaluations/playEvaluation.ts';
import { commandNamed, exitCodes, runCommand, say, withProcesses } from './runs/command.ts';
import { wholeNumber } from './runs/options.ts';
import { isModelDirectory, type RunOnDisk, rolloutConfigOf, runOnDisk } from './runs/policyOf.ts';

const program = commandNamed('evaluate')
  .description('Play held-out tasks with a fixed policy and report the solved share with its standard error.')
  .argument('<run-or-directory>', 'name of a run, a directory (of a checkpoint, a Hugging Face model or an adapter), or hub:org/name')
  .option('--tasks <n>', 'held-out tasks', wholeNumber, 200)
  .option('--samples <n>', 'samples of each task in mode sampled', wholeNumber, 1)
  .option('--modes <list>', 'greedy, sampled or both', 'greedy,sampled')
  .option('--checkpoint <name>', 'of a run, such as global_step_12 (default: the newest)')
  .addOption(new Option('--weights <precision>', 'that play: few bits show what `serve --weights` costs').choices(weightPrecisions).default('float32'))
  .option(
    '--against <name>',
    'another checkpoint of the run, or any run, directory or hub name, on the same tasks and with float32: the difference with its interval',
  )
  .option('--task-file <file>', 'for a directory: measure on all tasks of this file')
  .option('--checker <name>', 'of --task-file: exact, numeric, math or code', 'exact')
  .option('--family <name>', 'for a directory: measure on tasks of this family')
  .option('--config <file>', 'for a directory: its tasks and limits', 'examples/quickstart.yaml')
  .option('--json <file>', 'write the results there')
  .parse();

type Options = { tasks: number; samples: number; modes: string; weights: WeightPrecision; config: string; checker: string } & {
  [name in 'checkpoint' | 'against' | 'taskFile' | 'family' | 'json']?: string;
};
const options = program.opts<Options>();
const [subject = ''] = program.args;

await runCommand(async () => {
  const isDirectory = await isModelDirectory(subject);
  if (!isDirectory && (options.taskFile ?? options.family))
    throw new Error("a run is measured on its own tasks: give its checkpoint's policy directory to measure on others");
  const config = isDirectory ? directoryConfig() : await configOfRun(subject);
  askWorkersFor(config.sandbox);
  return withProcesses(async (processes, signal) => {
    const measured = isDirectory ? await measuredPolicy(subject, config, processes, signal) : await runOnDisk(subject, options.checkpoint);
    const results = await resultsOf(processes, measured, options.weights);
    return options.against === undefined ? shown(results) : compared(results, await resultsOf(processes, await against(options.against), 'float32'));

    async function against(name: string): Promise<RunOnDisk> {
      if (name === subject && options.checkpoint === undefined) return measured;
      if (!isDirectory && (await isCheckpointOf(subject, name))) return runOnDisk(subject, name);
      return measuredPolicy(name, config, processes, signal, 'against');
    }
  });
});

function shown(results: readonly Weighed[]): number {
  say(`\n${titleOf(subject, results)}\n${evaluationTable(results, [])}\n\n${passTable(results)}`);
  return written(results, results);
}

function compared(results: readonly Weighed[], others: readonly Weighed[]): number {
  const [title, otherTitle] = [titleOf(subject, results), titleOf(options.against, others)];
  say(`\n${title}\n${evaluationTable(results, [])}\n\n${passTable(results)}`);
  say(`\n${otherTitle}\n${passTable(others)}\n\n${title} − ${otherTitle}\n${differenceTable(others, results)}`);
  return written({ results, against: others, differences: differences(others, results) }, [...results, ...others]);
}

function written(json: unknown, results: readonly EvaluationResult[]): number {
  if (options.json) writeFileSync(options.json, `${JSON.stringify(json, null, 2)}\n`);
  return results.every(({ counted, samples }) => counted === samples) ? exitCodes.done : exitCodes.failed;
}

async function resultsOf(processes: Processes, { run, config, policy }: RunOnDisk, weights: WeightPrecision): Promise<Weighed[]> {
  say(`${run}, ${policy.checkpoint}, weights ${weights}`);
  const quantised = weights === 'float32' ? {} : { weights };
  const input = (mode: EvaluationResult['mode']): EvaluateInput => {
    const { tasks, samples: samplesPerTask } = options;
    return { run, step: 0, policy, mode, tasks, samplesPerTask, config: rolloutConfigOf(config), perTask: true, ...quantised };
  };
  return Promise.all(modesOf(options.modes).map((mode) => playEvaluation(processes, input(mode))));
}

function titleOf(name: string | undefined, [result]: readonly Weighed[]): string {
  return `${name} with ${result?.weights}`;
}

/** The tasks and limits of `--config`, for a policy that stays as it is. */
function directoryConfig(): RunConfig {
  const { contextLength, turnFormat } = loadRunConfig(options.config).policy;
  const policy = `policy=${JSON.stringify({ path: subject, contextLength, turnFormat })}`;
  return loadRunConfig(options.config, ['warmup={steps: 0}', policy, ...taskOverrides()]);
}

function taskOverrides(): string[] {
  const { taskFile, checker, family } = options;
  if (family !== undefined) return [`tasks=[{family: ${JSON.stringify(family)}}]`];
  return taskFile === undefined ? [] : [`tasks=[{name: file, file: ${JSON.stringify(taskFile)}, checker: ${checker}, heldOutFraction: 1}]`];
}
