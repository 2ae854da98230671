/**
 * @file Lets a run's policy play tasks and prints what it did, turn by turn.
 * @example npm run rollout -- quickstart-1123-141503 --tasks 3
 * @example npm run rollout -- quickstart-1123-141503 --split train --greedy --json rollouts.json
 */
import { writeFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Trajectory } from '../core/rollout/trajectory.ts';
import type { Split } from '../core/rollout/types.ts';
import { playingQueue } from '../core/run/names.ts';
import type { RolloutInput, RolloutResult } from '../core/run/types.ts';
import { askWorkersFor } from '../workers/config/sandboxBackend.ts';
import { ArtifactStore, artifactRoot, turnwiseHome } from '../workers/onDisk.ts';
import { trajectoryText } from './display/trajectoryText.ts';
import { commandNamed, exitCodes, runCommand, say, withProcesses } from './runs/command.ts';
import { throwCause } from './runs/followRun.ts';
import { wholeNumber, writableFile } from './runs/options.ts';
import { clientFor } from './runs/playRun.ts';
import { rolloutConfigOf, runOnDisk } from './runs/policyOf.ts';

const program = commandNamed('rollout')
  .description('Play tasks with the newest checkpoint of a run, each as a workflow of its own.')
  .argument('<run>', 'name of the run')
  .option('--tasks <n>', 'how many', wholeNumber, 1)
  .option('--offset <n>', 'first task', wholeNumber, 0)
  .addOption(new Option('--split <split>', 'which tasks').choices(['train', 'heldOut']).default('heldOut'))
  .option('--greedy', 'most likely token each time')
  .option('--checkpoint <name>', 'such as global_step_12 (default: the newest)')
  .option('--json <file>', 'write the trajectories there', writableFile)
  .parse();

const options = program.opts<{ tasks: number; offset: number; split: Split; greedy?: boolean; checkpoint?: string; json?: string }>();
const [run = ''] = program.args;

await runCommand(async () => {
  const { config, policy } = await runOnDisk(run, options.checkpoint);
  const rollouts = { ...rolloutConfigOf(config), ...(options.greedy && { temperature: 0 }) };
  const store = new ArtifactStore(artifactRoot(turnwiseHome()));
  askWorkersFor(config.sandbox);
  return withProcesses(async (processes) => {
    const client = await clientFor(processes);
    const play = async (offset: number): Promise<Trajectory> => {
      const input: RolloutInput = { run, step: 0, sibling: 0, policy, config: rollouts, task: { split: options.split, offset } };
      const workflowId = `rollout/${run}/${Date.now()}-${offset}`;
      const started = client.workflow.execute('rollout', { taskQueue: playingQueue, workflowId, args: [input] });
      const result = (await started.catch(throwCause)) as RolloutResult;
      return JSON.parse(Buffer.from(await store.get(result.trajectories)).toString('utf8')) as Trajectory;
    };
    const trajectories = await Promise.all(Array.from({ length: options.tasks }, (_, index) => play(options.offset + index)));
    await client.connection.close();
    for (const trajectory of trajectories) say(trajectoryText(trajectory));
    if (options.json) writeFileSync(options.json, `${JSON.stringify(trajectories, null, 2)}\n`);
    return trajectories.every(({ outcomeReward }) => outcomeReward !== null) ? exitCodes.done : exitCodes.failed;
  });
});
