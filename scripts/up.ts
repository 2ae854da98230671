/**
 * @file Server and all workers in the foreground; crashed workers are started again. Other commands in this directory use them.
 * @example npm run up
 */
import { join } from 'node:path';
import { turnwiseHome } from '../workers/onDisk.ts';
import { commandNamed, runCommand, say, withOwnProcesses } from './runs/command.ts';

commandNamed('up').description('Run the Temporal server (unless one answers already) and all workers until Ctrl-C.').parse();

await runCommand(() =>
  withOwnProcesses(async ({ address, uiUrl }, signal) => {
    say(`ready: server ${address}${uiUrl ? `, UI ${uiUrl}` : ''}; logs in ${join(turnwiseHome(), 'logs')}; npm run status lists the processes. Ctrl-C stops.`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    say('stopping: workers first, then the server …');
    return 0;
  }),
);
