/** @file What a finished run must look like, read from its files: every rollout in the ledger once, nothing half written. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

interface LedgerEntry {
  readonly step: number;
  readonly group_id: string;
  readonly sibling: number | null;
  readonly trained: boolean;
  readonly reason?: string;
  readonly outcome: string | null;
}

export function jsonLines<T>(path: string): T[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** `s2/t0/r3`, sorted, of every line of the ledger. */
export function ledgerKeys(runDirectory: string): string[] {
  return jsonLines<LedgerEntry>(join(runDirectory, 'ledger.jsonl'))
    .map(({ group_id, sibling }) => `${group_id}/r${sibling}`)
    .sort();
}

export function expectedKeys(steps: number, tasksPerStep: number, groupSize: number): string[] {
  const keys: string[] = [];
  for (let step = 1; step <= steps; step++) {
    for (let position = 0; position < tasksPerStep; position++) {
      for (let sibling = 0; sibling < groupSize; sibling++) keys.push(`s${step}/t${position}/r${sibling}`);
    }
  }
  return keys.sort();
}

/** Outcomes that never count as a reward: a kill must not leave any. */
export function erroredRollouts(runDirectory: string): number {
  return jsonLines<LedgerEntry>(join(runDirectory, 'ledger.jsonl')).filter(
    ({ outcome }) => outcome === null || outcome.endsWith('_error') || outcome === 'cancelled',
  ).length;
}

export function metricSteps(runDirectory: string): number[] {
  return jsonLines<{ kind?: string; step: number }>(join(runDirectory, 'metrics.jsonl'))
    .filter(({ kind }) => kind === undefined || kind === 'step')
    .map(({ step }) => step);
}

/** Files of interrupted writes that nobody cleaned up. */
export function temporaryFiles(runDirectory: string): string[] {
  return readdirSync(runDirectory, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.tmp'));
}

/** What of an activity's history tells whether work was repeated. */
export interface PlayedActivity {
  readonly type: string;
  readonly sibling: number | string;
  readonly attempts: number;
}

/** Activities of a group that were completed, with the attempts they took. */
export function playedActivities(events: readonly HistoryEvent[]): PlayedActivity[] {
  const scheduled = new Map(events.flatMap((event) => (event.activityTaskScheduledEventAttributes ? [[String(event.eventId), event] as const] : [])));
  return events.flatMap(({ activityTaskStartedEventAttributes: started }) => {
    const attributes = scheduled.get(String(started?.scheduledEventId))?.activityTaskScheduledEventAttributes;
    if (!attributes) return [];
    const input = JSON.parse(Buffer.from(attributes.input?.payloads?.[0]?.data ?? []).toString('utf8')) as { sibling?: number; rollout?: string };
    return [{ type: attributes.activityType?.name ?? '', sibling: input.sibling ?? input.rollout ?? '', attempts: started?.attempt ?? 1 }];
  });
}
