/**
 * @file Speaks to a run that goes on: pause, resume, cancel with a reason, change hyperparameters.
 * @example npm run control -- pause quickstart-1123-141503
 * @example npm run control -- set quickstart-1123-141503 lr=2e-4 temperature=0.9
 * @example npm run control -- cancel quickstart-1123-141503 --reason "wrong data"
 */
import { WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds } from '../core/run/names.ts';
import { connectClient } from '../workers/config/connection.ts';
import { commandNamed, runCommand, say } from './runs/command.ts';
import { causeOf } from './runs/followRun.ts';

const program = commandNamed('control').description('Pause, resume, cancel or change a run that goes on.');

program
  .command('pause <run>')
  .description('stop between steps; what is in flight finishes first')
  .action((run: string) => speak(run, (handle) => handle.signal('pause').then(() => 'pausing after the step in flight')));
program
  .command('resume <run>')
  .description('go on after pause, or after a failure that waits for an operator')
  .action((run: string) => speak(run, (handle) => handle.signal('resume').then(() => 'going on')));
program
  .command('cancel <run>')
  .description('end cleanly: children are cancelled, sandboxes freed')
  .requiredOption('--reason <text>', 'kept with the run')
  .action((run: string, { reason }: { reason: string }) => speak(run, (handle) => handle.signal('cancel', reason).then(() => 'cancelling')));
program
  .command('set <run> <changes...>')
  .description('change lr, temperature, clipLow, clipHigh, klCoefficient, entropyCoefficient, gamma, alpha, formatPenalty from the next step on')
  .action((run: string, changes: string[]) =>
    speak(run, async (handle) => `from the next step on: ${JSON.stringify(await handle.executeUpdate('setHyperparameters', { args: [changeOf(changes)] }))}`),
  );

type Handle = Awaited<ReturnType<typeof connectClient>>['workflow'] extends { getHandle: (id: string) => infer H } ? H : never;

await runCommand(async () => {
  await program.parseAsync();
  return 0;
});

async function speak(run: string, message: (handle: Handle) => Promise<string>): Promise<void> {
  const client = await connectClient();
  try {
    say(`run ${run}: ${await message(client.workflow.getHandle(workflowIds.train(run)))}`);
  } catch (error) {
    const why =
      error instanceof WorkflowNotFoundError ? 'it does not go on, or this server does not know it: npm run status lists the runs that go on' : causeOf(error);
    throw new Error(`run ${run}: ${why}`, { cause: error });
  } finally {
    await client.connection.close();
  }
}

function changeOf(changes: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    changes.map((change) => {
      const [name = '', value] = change.split('=');
      if (value === undefined || value.trim() === '' || Number.isNaN(Number(value))) throw new Error(`expected name=number such as lr=2e-4, got ${change}`);
      return [name, Number(value)];
    }),
  );
}
