/** @file Watches a run to its end. Survives the death of workers and server: the run does, so its display must. */
import { setTimeout } from 'node:timers/promises';
import type { Client, WorkflowExecutionStatusName } from '@temporalio/client';
import { workflowIds } from '../../core/run/names.ts';
import type { Progress, TrainResult } from '../../core/run/types.ts';
import { LiveProgress } from '../display/liveProgress.ts';

export interface RunEnd {
  readonly status: WorkflowExecutionStatusName | 'INTERRUPTED';
  /** Of a run that completed. */
  readonly result?: TrainResult;
  /** Why it failed. */
  readonly failure?: string;
  /** The last that was seen. */
  readonly progress?: Progress;
  /** Wall-clock time from the start of the workflow to its end. */
  readonly seconds?: number;
}

const pollMs = 1000;
const silentForMs = 30_000;

/** Resolves when the run ends or the signal is aborted; the run itself goes on in the second case. */
export async function followRun(client: Client, run: string, signal: AbortSignal): Promise<RunEnd> {
  const display = new LiveProgress();
  let progress: Progress | undefined;
  let heardAtMs = Date.now();
  try {
    while (!signal.aborted) {
      const end = await endOf(client, run).catch(() => undefined);
      if (end) return { ...end, ...(progress && { progress }) };
      const answer = await progressOf(client, run);
      if (answer) {
        progress = answer;
        heardAtMs = Date.now();
        display.update(answer);
      } else if (Date.now() - heardAtMs > silentForMs) {
        heardAtMs = Date.now();
        display.say(`no answer from the run for ${silentForMs / 1000} s: server or workflow worker may be starting again (npm run status)`);
      }
      await setTimeout(pollMs, undefined, { signal }).catch(() => {}); // an abort only ends the pause
    }
    return { status: 'INTERRUPTED', ...(progress && { progress }) };
  } finally {
    display.end();
  }
}

/** Undefined while the run goes on. */
async function endOf(client: Client, run: string): Promise<RunEnd | undefined> {
  const handle = client.workflow.getHandle(workflowIds.train(run));
  const { status, closeTime, raw } = await handle.describe();
  if (status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW') return undefined;
  const startTime = await firstStart(client, run, raw.workflowExecutionInfo?.firstRunId);
  const seconds = closeTime ? (closeTime.getTime() - startTime.getTime()) / 1000 : 0;
  try {
    return { status: status.name, result: (await handle.result()) as TrainResult, seconds };
  } catch (error) {
    return { status: status.name, failure: causeOf(error), seconds };
  }
}

/** A run that continues as new is one run: its time counts from the first history. */
async function firstStart(client: Client, run: string, firstRunId: string | null | undefined): Promise<Date> {
  const { startTime } = await client.workflow.getHandle(workflowIds.train(run), firstRunId ?? undefined).describe();
  return startTime;
}

/** Undefined when nobody answers just now. */
export async function progressOf(client: Client, run: string): Promise<Progress | undefined> {
  const handle = client.workflow.getHandle(workflowIds.train(run));
  return client.withDeadline(Date.now() + 3000, () => handle.query<Progress>('progress')).catch(() => undefined);
}

/** The innermost cause: the outer ones only say that a workflow failed. */
export function causeOf(error: unknown): string {
  let innermost = error as Error;
  while (innermost.cause instanceof Error) innermost = innermost.cause;
  return innermost.message;
}

export function throwCause(error: unknown): never {
  throw new Error(causeOf(error), { cause: error });
}
