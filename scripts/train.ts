/**
 * @file Trains a run from a configuration file, with dotted overrides.
 * @example npm run train -- examples/search.yaml training.steps=40 credit.gamma=0.95
 * @example npm run train -- examples/quickstart.yaml --dry-run
 */
import { basename, extname } from 'node:path';
import { loadRunConfig } from '../workers/config/runConfig.ts';
import { askWorkersFor } from '../workers/config/sandboxBackend.ts';
import { modelMemoryText, withPinnedModel } from '../workers/modelPlan.ts';
import { validateChats, validateContext, validateTasks } from '../workers/tasks.ts';
import { commandNamed, runCommand, say, withProcesses } from './runs/command.ts';
import { writableFile } from './runs/options.ts';
import { planText } from './runs/plan.ts';
import { playRun } from './runs/playRun.ts';
import { newRunName, refuseExisting } from './runs/runName.ts';

const program = commandNamed('train')
  .description('Train a policy as a durable workflow. Uses the workers of `npm run up` where they run, else starts its own.')
  .argument('<file>', 'run configuration, such as examples/quickstart.yaml')
  .argument('[overrides...]', 'settings as a.b=value')
  .option('--run <name>', 'name of the run (default: from the file and the time)')
  .option('--dry-run', 'check the configuration and print the plan, start nothing')
  .option('--json <file>', 'write the result there', writableFile)
  .parse();

const options = program.opts<{ run?: string; dryRun?: boolean; json?: string }>();
const [file = '', ...overrides] = program.args;

await runCommand(async () => {
  const config = await withPinnedModel(loadRunConfig(file, overrides), say);
  const { lines } = await validateTasks(config);
  const chats = await validateChats(config);
  const memory = await modelMemoryText(config);
  await validateContext(config);
  if (options.dryRun) {
    say(`${planText(config, memory)}\n\n${[...lines, ...(chats === undefined ? [] : [chats])].map((line) => `  ${line}`).join('\n')}`);
    return 0;
  }
  askWorkersFor(config.sandbox);
  const run = options.run ?? newRunName(basename(file, extname(file)));
  refuseExisting(run);
  return withProcesses((processes, signal) => playRun({ run, config, json: options.json }, processes, signal));
});
