/**
 * @file Measures a policy on held-out tasks: the newest checkpoint of a run, or a Hugging Face directory.
 * @example npm run evaluate -- quickstart-1123-141503 --tasks 500
 * @example npm run evaluate -- ./my-model --config examples/own-tasks.yaml --modes greedy
 */
import { writeFileSync } from 'node:fs';
import { playingQueue } from '../core/run/names.ts';
import type { EvaluateInput, EvaluationResult } from '../core/run/types.ts';
import { loadRunConfig } from '../workers/config/runConfig.ts';
import type { Processes } from '../workers/supervisor/supervisor.ts';
import { evaluationTable } from './display/evaluationTable.ts';
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
  .option('--config <file>', 'for a directory: its tasks and limits', 'examples/quickstart.yaml')
  .option('--json <file>', 'write the results there')
  .parse();

type Options = { tasks: number; samples: number; modes: string; checkpoint?: string; config: string; json?: string };
const options = program.opts<Options>();
const [subject = ''] = program.args;

await runCommand(async () => ((await isModelDirectory(subject)) ? evaluateDirectory() : evaluateRun()));

async function evaluateRun(): Promise<number> {
  const { config, policy } = await runOnDisk(subject, options.checkpoint);
  const input = (mode: EvaluationResult['mode']): EvaluateInput => {
    return { run: subject, step: 0, policy, mode, tasks: options.tasks, samplesPerTask: options.samples, config: rolloutConfigOf(config) };
  };
  return withProcesses(async (processes) => {
    const results = await Promise.all(modes().map((mode) => play(processes, input(mode))));
    say(`${subject}, ${policy.checkpoint}\n${evaluationTable(results, [])}`);
    if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
    return results.every(({ counted, samples }) => counted === samples) ? exitCodes.done : exitCodes.failed;
  });
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

/** A directory gets a run of its own that trains nothing: it evaluates once. */
function evaluateDirectory(): Promise<number> {
  const evaluation = [`evaluation.tasks=${options.tasks}`, `evaluation.modes=[${modes().join(', ')}]`];
  const nothing = ['warmup={steps: 0}', 'training.steps=0', 'gate.minSampledSolved=0', `policy={path: ${JSON.stringify(subject)}}`];
  const config = loadRunConfig(options.config, [...nothing, ...evaluation]);
  const json = options.json;
  return withProcesses((processes, signal) => playRun({ run: newRunName('evaluate'), config, json }, processes, signal));
}

function modes(): EvaluationResult['mode'][] {
  return options.modes.split(',').map((mode) => {
    if (mode === 'greedy' || mode === 'sampled') return mode;
    throw new Error(`--modes: expected greedy, sampled or both, got ${mode}`);
  });
}
