/** @file Reads a run's histories back: every workflow below an id, its events and payload sizes. */

import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

export interface RecordedHistory {
  readonly workflowId: string;
  readonly type: string;
  readonly status: string;
  readonly history: History;
}

/** All executions of `train/<run>` and below. Waits until visibility knows that each has ended. */
export async function historiesOf(client: Client, run: string): Promise<RecordedHistory[]> {
  const executions = await endedExecutions(client, run);
  return Promise.all(
    executions.map(async ({ workflowId, runId, type, status }) => ({
      workflowId,
      type,
      status: status.name,
      history: await client.workflow.getHandle(workflowId, runId).fetchHistory(),
    })),
  );
}

/** @throws Error that names what is still running after a minute. */
export async function endedExecutions(client: Client, run: string) {
  for (let attempt = 0; ; attempt++) {
    const executions = [];
    for await (const execution of client.workflow.list({ query: `WorkflowId STARTS_WITH 'train/${run}'` })) executions.push(execution);
    const running = executions.filter(({ status }) => status.name === 'RUNNING').map(({ workflowId }) => workflowId);
    if (executions.length > 0 && running.length === 0) return executions;
    if (attempt === 300) throw new Error(`expected executions of ${run}, all ended; found ${executions.length}, still running: ${running.join(', ')}`);
    await setTimeout(200);
  }
}

/** Bytes of the largest single payload anywhere in the history. */
export function largestPayload(history: History): number {
  let largest = 0;
  const visit = (value: unknown): void => {
    if (value instanceof Uint8Array) largest = Math.max(largest, value.byteLength);
    else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) visit(part);
  };
  visit(history);
  return largest;
}

/** Summaries that the UI shows beside the activities of a history. */
export function activitySummaries(history: History): string[] {
  return (history.events ?? []).flatMap(({ userMetadata, activityTaskScheduledEventAttributes }) => {
    const summary = userMetadata?.summary?.data;
    return activityTaskScheduledEventAttributes && summary ? [JSON.parse(Buffer.from(summary).toString('utf8')) as string] : [];
  });
}

export function eventsNamed(history: History, attributes: keyof NonNullable<History['events']>[number]): number {
  return (history.events ?? []).filter((event) => event[attributes] !== null && event[attributes] !== undefined).length;
}
