/**
 * @file The processes of turnwise in this directory, and the runs that go on.
 * @example npm run status
 * @example npm run status -- --json status.json
 */
import { writeFileSync } from 'node:fs';
import { connectClient } from '../workers/config/connection.ts';
import { isAlive } from '../workers/supervisor/processIdentity.ts';
import { readRecords } from '../workers/supervisor/processRecords.ts';
import { alignedTable } from './display/evaluationTable.ts';
import { progressLine } from './display/progressLine.ts';
import { commandNamed, runCommand, say } from './runs/command.ts';
import { progressOf } from './runs/followRun.ts';

const program = commandNamed('status')
  .description('List the running processes by role with their pid, and the runs that go on.')
  .option('--json <file>', 'write the same there')
  .parse();

await runCommand(async () => {
  const processes = readRecords().filter(isAlive);
  const runs = await goingOn();
  if (processes.length === 0) say('no turnwise process runs in this directory; `npm run up` starts them');
  else say(alignedTable([['role', 'pid', 'since', 'restarts'], ...processes.map((one) => [one.role, String(one.pid), one.startedAt, String(one.restarts)])]));
  for (const { run, progress } of runs) say(`run ${run}: ${progress ? progressLine(progress, undefined, 0) : 'no worker answers'}`);
  const { json } = program.opts<{ json?: string }>();
  if (json) writeFileSync(json, `${JSON.stringify({ processes, runs }, null, 2)}\n`);
  return 0;
});

/** Empty where no server answers. */
async function goingOn() {
  const client = await connectClient().catch(() => undefined);
  if (!client) return [];
  const runs = [];
  for await (const { workflowId } of client.workflow.list({ query: "WorkflowType = 'train' AND ExecutionStatus = 'Running'" })) {
    const run = workflowId.replace(/^train\//, '');
    runs.push({ run, progress: await progressOf(client, run) });
  }
  await client.connection.close();
  return runs;
}
