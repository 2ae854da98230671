/** @file Starts a scout (or joins the one of that name), shows its progress, writes what it found, and says how it ended. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowHandle } from '@temporalio/client';
import { taskQueues, workflowIds } from '../../core/run/names.ts';
import type { ScoutInput, ScoutProgress, ScoutResult } from '../../core/scout/run.ts';
import { turnwiseHome } from '../../workers/onDisk.ts';
import { type ScoutPaths, scoutPaths, writeFileAtomic } from '../../workers/scouts.ts';
import type { Processes } from '../../workers/supervisor/supervisor.ts';
import { exitCodes } from '../runs/command.ts';
import { causeOf } from '../runs/followRun.ts';
import { clientFor } from '../runs/playRun.ts';
import { ScoutDisplay, summaryOf } from './display.ts';

export interface Wanted {
  readonly out: string | undefined;
  readonly json: boolean;
}

const pollMs = 300;

/** Progress goes to standard error: standard output holds the report alone. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

export async function playScout(input: ScoutInput, wanted: Wanted, processes: Processes, signal: AbortSignal): Promise<number> {
  const paths = scoutPaths(turnwiseHome(), input.scout);
  const client = await clientFor(processes);
  try {
    const handle = await started(client, input, paths);
    if (processes.uiUrl) tell(`watch it in the Temporal UI: ${processes.uiUrl}/namespaces/${processes.namespace}/workflows/scout%2F${input.scout}`);
    const result = await followed(handle, client, signal);
    if (result === undefined) {
      tell(`cancelled; answered calls are kept: the same command with --name ${input.scout} goes on with them`);
      return exitCodes.interrupted;
    }
    tell(summaryOf(result, input.model));
    deliver(paths, wanted);
    return result.phase === 'completed' ? exitCodes.done : exitCodes.partial;
  } finally {
    await client.connection.close();
  }
}

/** @throws Error when a scout of this name goes on with another input. */
async function started(client: Client, input: ScoutInput, paths: ScoutPaths): Promise<WorkflowHandle> {
  const workflowId = workflowIds.scout(input.scout);
  const asked = `${JSON.stringify(input, null, 2)}\n`;
  try {
    const handle = await client.workflow.start('scout', {
      taskQueue: taskQueues.workflows,
      workflowId,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: input.model === null ? 'static' : `${input.model.provider}:${input.model.name}`,
    });
    await writeFileAtomic(paths.input, asked);
    return handle;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const known = existsSync(paths.input) ? readFileSync(paths.input, 'utf8') : '';
    if (known !== asked) throw new Error(`scout ${input.scout}: one of this name goes on with another input; cancel it, or choose another --name`);
    tell(`scout ${input.scout} goes on already; following it`);
    return client.workflow.getHandle(workflowId);
  }
}

/** Undefined when it was cancelled. Survives the death of workers and server: the scout does, so its display must. */
async function followed(handle: WorkflowHandle, client: Client, signal: AbortSignal): Promise<ScoutResult | undefined> {
  const display = new ScoutDisplay(tell);
  let cancelled = false;
  for (;;) {
    if (signal.aborted && !cancelled) {
      cancelled = true;
      await handle.cancel();
    }
    const status = await handle.describe().then(
      (description) => description.status.name,
      () => 'RUNNING',
    );
    display.update(await progressOf(handle, client));
    if (status === 'COMPLETED') return (await handle.result()) as ScoutResult;
    if (status === 'CANCELLED' || status === 'TERMINATED') return undefined;
    if (status !== 'RUNNING') throw new Error(await handle.result().then(() => status, causeOf));
    await setTimeout(pollMs);
  }
}

/** Undefined when nobody answers just now. */
async function progressOf(handle: WorkflowHandle, client: Client): Promise<ScoutProgress | undefined> {
  return client.withDeadline(Date.now() + 3000, () => handle.query<ScoutProgress>('progress')).catch(() => undefined);
}

function deliver(paths: ScoutPaths, { out, json }: Wanted): void {
  const report = readFileSync(json ? paths.json : paths.markdown, 'utf8');
  if (out === undefined) process.stdout.write(report);
  else writeFileSync(out, report);
  tell(`${out === undefined ? '' : `report: ${out}; `}records: ${paths.root} (report.md, report.json, report.html)`);
}
