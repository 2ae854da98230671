/**
 * @file Sets up what is missing, then trains a small policy from nothing on multi-turn tool use.
 * @example npm run quickstart
 * @example npm run quickstart -- --steps 150 --seed 1 --json result.json
 */
import { loadRunConfig } from '../workers/config/runConfig.ts';
import { askWorkersFor } from '../workers/config/sandboxBackend.ts';
import { validateContext } from '../workers/tasks.ts';
import { commandNamed, runCommand, say, withProcesses } from './runs/command.ts';
import { wholeNumber, writableFile } from './runs/options.ts';
import { playRun } from './runs/playRun.ts';
import { newRunName, refuseExisting } from './runs/runName.ts';

const program = commandNamed('quickstart')
  .description(
    'Train a small policy from nothing: supervised warm-up, held-out evaluation, GTPO (Group Turn Policy Optimization, arXiv 2511.14846), held-out evaluation.',
  )
  .option('--steps <n>', 'steps of reinforcement learning', wholeNumber)
  .option('--seed <k>', 'seed of everything that is drawn', wholeNumber)
  .option('--run <name>', 'name of the run')
  .option('--json <file>', 'write the result there', writableFile)
  .argument('[overrides...]', 'settings of examples/quickstart.yaml, such as credit.method=grpo')
  .parse();

const options = program.opts<{ steps?: number; seed?: number; run?: string; json?: string }>();

await runCommand(async () => {
  const overrides = [...program.args];
  if (options.steps !== undefined) overrides.push(`training.steps=${options.steps}`);
  if (options.seed !== undefined) overrides.push(`seed=${options.seed}`);
  const config = loadRunConfig('examples/quickstart.yaml', overrides);
  await validateContext(config);
  askWorkersFor(config.sandbox);
  const run = options.run ?? newRunName('quickstart');
  refuseExisting(run);
  return withProcesses(async (processes, signal) => {
    say('Ctrl-C leaves a run that can be resumed; a second Ctrl-C stops at once.');
    return playRun({ run, config, json: options.json }, processes, signal);
  });
});
