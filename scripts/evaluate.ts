/**
 * @file Measures a policy on held-out tasks: the newest checkpoint of a run, or a Hugging Face directory.
 * @example npm run evaluate -- quickstart-1123-141503 --tasks 500
 * @example npm run evaluate -- quickstart-1123-141503 --modes sampled --samples 8 --against global_step_0
 * @example npm run evaluate -- ./my-model --config examples/own-tasks.yaml --modes greedy
 */
import { writeFileSync } from 'node:fs';
import { playingQueue } from '../core/run/names.ts';
import type { EvaluateInput, EvaluationResult } from '../core/run/types.ts';
import { loadRunConfig } from '../workers/config/runConfig.ts';
import { withPinnedModel } from '../workers/modelPlan.ts';
import type { Processes } from '../workers/supervisor/supervisor.ts';
import { evaluationTable } from './display/evaluationTable.ts';
import { differenceTable, passTable } from './display/passTable.ts';
import { commandNamed, exitCodes, runCommand, say, withProcesses } from './runs/command.ts';
import { throwCause } from './runs/followRun.ts';
import { wholeNumber } from './runs/options.ts';
import { clientFor, playRun } from './runs/playRun.ts';
import { isModelDirectory, rolloutConfigOf, runOnDisk } from './runs/policyOf.ts';
import { newRunName } from './runs/runName.ts';

const program = commandNamed('evaluate')
  .description('Play held-out tasks with a fixed policy and report the solved share with its standard error.')
  .argument('<run-or-directory>', 'name of a run, or a Hugging Face directory')
  .option('--tasks <n>', 'held-out tasks', wholeNumber, 200)
  .option('--samples <n>', 'samples of each task in mode sampled', wholeNumber, 1)
  .option('--modes <list>', 'greedy, sampled or both', 'greedy,sampled')
  .option('--checkpoint <name>', 'of a run, such as global_step_12 (default: the newest)')
  .option('--against <name>', 'another checkpoint of the run, on the same tasks: the difference with its interval')
  .option('--task-file <file>', 'for a directory: measure on all tasks of this file')
  .option('--checker <name>', 'of --task-file: exact, numeric, math or code', 'exact')
  .option('--family <name>', 'for a directory: measure on tasks of this family')
  .option('--config <file>', 'for a directory: its tasks and limits', 'examples/quickstart.yaml')
  .option('--json <file>', 'write the results there')
  .parse();

type Options = { tasks: number; samples: number; modes: string; config: string; checker: string } & {
  [name in 'checkpoint' | 'against' | 'taskFile' | 'family' | 'json']?: string;
};
const options = program.opts<Options>();
const [subject = ''] = program.args;

await runCommand(async () => {
  if (await isModelDirectory(subject)) return evaluateDirectory();
  if (options.taskFile ?? options.family) throw new Error("a run is measured on its own tasks: give its checkpoint's policy directory to measure on others");
  return withProcesses((processes) => evaluateRun(processes, subject));
});

async function evaluateRun(processes: Processes, run: string): Promise<number> {
  const results = await resultsOf(processes, run, options.checkpoint);
  const others = options.against === undefined ? [] : await resultsOf(processes, run, options.against);
  say(`${evaluationTable(results, [])}\n\n${passTable(results)}`);
  if (options.against !== undefined) say(`\n${options.against}\n${passTable(others)}\n\n${differenceTable(others, results)}`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(options.against === undefined ? results : { results, against: others }, null, 2)}\n`);
  return [...results, ...others].every(({ counted, samples }) => counted === samples) ? exitCodes.done : exitCodes.failed;
}

async function resultsOf(processes: Processes, run: string, checkpoint: string | undefined): Promise<EvaluationResult[]> {
  const { config, policy } = await runOnDisk(run, checkpoint);
  say(`${run}, ${policy.checkpoint}`);
  const input = (mode: EvaluationResult['mode']): EvaluateInput => {
    return { run, step: 0, policy, mode, tasks: options.tasks, samplesPerTask: options.samples, config: rolloutConfigOf(config), perTask: true };
  };
  return Promise.all(modes().map((mode) => play(processes, input(mode))));
}

async function play(processes: Processes, input: EvaluateInput): Promise<EvaluationResult> {
  const client = await clientFor(processes);
  const workflowId = `evaluate/${input.run}/${Date.now()}-${input.mode}`;
  return client.workflow
    .execute('evaluate', { taskQueue: playingQueue, workflowId, args: [input] })
    .then((result) => result as EvaluationResult)
    .catch(throwCause)
    .finally(() => client.connection.close());
}

/** A directory gets a run of its own that trains nothing; its first checkpoint is then measured like any other. */
async function evaluateDirectory(): Promise<number> {
  const nothing = ['warmup={steps: 0}', 'training.steps=0', 'gate.minSampledSolved=0', 'evaluation.tasks=1', 'evaluation.modes=[greedy]'];
  const config = await withPinnedModel(loadRunConfig(options.config, [...nothing, `policy={path: ${JSON.stringify(subject)}}`, ...taskOverrides()]));
  const run = newRunName('evaluate');
  return withProcesses(async (processes, signal) => {
    const code = await playRun({ run, config }, processes, signal);
    return code === exitCodes.done ? evaluateRun(processes, run) : code;
  });
}

function taskOverrides(): string[] {
  const { taskFile, checker, family } = options;
  if (family !== undefined) return [`tasks=[{family: ${JSON.stringify(family)}}]`];
  return taskFile === undefined ? [] : [`tasks=[{name: file, file: ${JSON.stringify(taskFile)}, checker: ${checker}, heldOutFraction: 1}]`];
}

function modes(): EvaluationResult['mode'][] {
  return options.modes.split(',').map((mode) => {
    if (mode === 'greedy' || mode === 'sampled') return mode;
    throw new Error(`--modes: expected greedy, sampled or both, got ${mode}`);
  });
}
