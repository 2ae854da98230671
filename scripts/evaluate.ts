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
import { weightPrecisions } from '../core/model/quantisation.ts';
import { askWorkersFor } from '../workers/config/sandboxBackend.ts';
import { comparisonText, resultsText } from './display/evaluationText.ts';
import { differences } from './display/passTable.ts';
import { type DirectoryTasks, directoryConfig } from './evaluations/directoryConfig.ts';
import { type Candidate, candidateOf, isCheckpointOf, measured, policyPathOf, type TaskOrigin } from './evaluations/measured.ts';
import { modes, modesOf, refuseIneffective } from './evaluations/options.ts';
import { type Played, playModes, type Weighed } from './evaluations/playEvaluation.ts';
import { commandNamed, exitCodes, runCommand, say, withProcesses } from './runs/command.ts';
import { countFromOne, writableFile } from './runs/options.ts';
import { type RunOnDisk, runOnDisk } from './runs/policyOf.ts';
import { isRunOnDisk } from './runs/runName.ts';

const program = commandNamed('evaluate')
  .description('Play held-out tasks with a fixed policy and report the solved share with its standard error.')
  .argument('<run-or-directory>', 'name of a run, a directory (of a checkpoint, a Hugging Face model or an adapter), or hub:org/name')
  .option('--tasks <n>', 'held-out tasks', countFromOne, 200)
  .option('--samples <n>', 'samples of each task in mode sampled', countFromOne, 1)
  .option('--modes <list>', 'greedy, sampled or both (default: both)', modesOf, [...modes])
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
  .option('--json <file>', 'write the results there', writableFile)
  .parse();

const options = program.opts<Played & DirectoryTasks & { [name in 'checkpoint' | 'against' | 'json']?: string }>();
const [subject = ''] = program.args;
const isRun = isRunOnDisk(subject);

await runCommand(async () => {
  refuseIneffective(isRun, options.modes, (name) => program.getOptionValueSource(name) === 'cli');
  const [policy, tasks] = isRun ? await ofRun() : await ofDirectory();
  const other = options.against === undefined ? undefined : await against(options.against, policy, tasks);
  askWorkersFor(tasks.config.sandbox);
  return withProcesses(async (processes, signal) => {
    const first = await measured(policy, processes, signal);
    const second = other && (other === policy ? first : await measured(other, processes, signal));
    const ours = { name: subject, results: await playModes(processes, first, options) };
    if (second === undefined) return reported(resultsText(ours), ours.results, ours.results);
    const theirs = { name: options.against as string, results: await playModes(processes, second, { ...options, weights: 'float32' }) };
    const json = { results: ours.results, against: theirs.results, differences: differences(theirs.results, ours.results) };
    return reported(comparisonText(ours, theirs), json, [...ours.results, ...theirs.results]);
  });
});

async function ofRun(): Promise<[RunOnDisk, TaskOrigin]> {
  const run = await runOnDisk(subject, options.checkpoint);
  return [run, { config: run.config, name: `run ${subject}` }];
}

async function ofDirectory(): Promise<[Candidate, TaskOrigin]> {
  const path = await policyPathOf(subject);
  const tasks = { config: directoryConfig(path, options), name: options.config };
  return [await candidateOf(subject, path, tasks, 'evaluate'), tasks];
}

/** The same policy where it has the same name: then the weights are what differs. */
async function against(name: string, policy: RunOnDisk | Candidate, tasks: TaskOrigin): Promise<RunOnDisk | Candidate> {
  if (name === subject && options.checkpoint === undefined) return policy;
  if (isRun && (await isCheckpointOf(subject, name))) return runOnDisk(subject, name);
  return candidateOf(name, await policyPathOf(name), tasks, 'against');
}

/** Shown and, with `--json`, written. Done when every sample has an outcome. */
function reported(text: string, json: unknown, results: readonly Weighed[]): number {
  say(`\n${text}`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(json, null, 2)}\n`);
  return results.every(({ counted, samples }) => counted === samples) ? exitCodes.done : exitCodes.failed;
}
