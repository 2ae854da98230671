/**
 * @file Goes on with a run: one that waits is told to, one that runs is joined, one that ended early starts again from its newest checkpoint.
 * @example npm run resume -- quickstart-1123-141503
 */
import { workflowIds } from '../core/run/names.ts';
import { askWorkersFor } from '../workers/config/sandboxBackend.ts';
import { readStoredConfig, turnwiseHome } from '../workers/onDisk.ts';
import { commandNamed, exitCodes, runCommand, say, withProcesses } from './runs/command.ts';
import { writableFile } from './runs/options.ts';
import { clientFor, playRun } from './runs/playRun.ts';
import { decide, stateOf } from './runs/resumption.ts';

const program = commandNamed('resume')
  .description('Go on with a run and watch it to its end. Prints what it decided and why.')
  .argument('<run>', 'name of the run')
  .option('--json <file>', 'write the result there', writableFile)
  .parse();

const [run = ''] = program.args;
const { json } = program.opts<{ json?: string }>();

await runCommand(async () => {
  const config = await readStoredConfig(turnwiseHome(), run); // and refuses what is no name, before anything is started
  if (config) askWorkersFor(config.sandbox);
  return withProcesses(async (processes, signal) => {
    const client = await clientFor(processes);
    const decision = await stateOf(client, run)
      .then((state) => decide(run, state, config !== undefined))
      .finally(() => client.connection.close());
    say(decision.why);
    switch (decision.action) {
      case 'nothing':
        return exitCodes.done;
      case 'signal': {
        const signalling = await clientFor(processes);
        await signalling.workflow
          .getHandle(workflowIds.train(run))
          .signal('resume')
          .finally(() => signalling.connection.close());
        return playRun({ run, json }, processes, signal);
      }
      case 'join':
        return playRun({ run, json }, processes, signal);
      case 'start':
        return playRun({ run, ...(config && { config }), json }, processes, signal);
    }
  });
});
