/** @file `.turnwise/processes/*.json`: one record for each process that turnwise started here, so that the next start can reap what was left over. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { turnwiseHome } from '../../activities/artifacts/paths.ts';
import { isAlive, type ProcessIdentity } from './processIdentity.ts';

export const workerRoles = ['workflows', 'policy', 'sandbox', 'trainer', 'scout'] as const;
export type WorkerRole = (typeof workerRoles)[number];
export type Role = WorkerRole | 'supervisor' | 'server' | 'server-guard';

export interface ProcessRecord extends ProcessIdentity {
  readonly role: Role;
  readonly startedAt: string;
  /** Of the server, and of the supervisor once all its processes are ready: where the server answers, and its UI. */
  readonly address?: string;
  readonly namespace?: string;
  readonly uiUrl?: string;
  /** Times this role was started again after a crash. */
  readonly restarts: number;
}

function directory(): string {
  return join(turnwiseHome(), 'processes');
}

export function writeRecord(record: ProcessRecord): void {
  mkdirSync(directory(), { recursive: true });
  const path = join(directory(), `${record.role}.json`);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(`${path}.tmp`, path);
}

export function removeRecord(role: Role): void {
  rmSync(join(directory(), `${role}.json`), { force: true });
}

/** Every record on disk, of living and dead processes alike. */
export function readRecords(): ProcessRecord[] {
  return fileNames().flatMap((name) => {
    const record = parseRecord(join(directory(), name));
    return record ? [record] : [];
  });
}

export function livingRecord(role: Role): ProcessRecord | undefined {
  return readRecords().find((record) => record.role === role && isAlive(record));
}

function fileNames(): string[] {
  try {
    return readdirSync(directory())
      .filter((name) => name.endsWith('.json'))
      .toSorted();
  } catch {
    return []; // nothing was ever started here
  }
}

/** A torn record names no process: nothing can be done with it. */
function parseRecord(path: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as ProcessRecord;
    return typeof record.pid === 'number' && typeof record.started === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}
