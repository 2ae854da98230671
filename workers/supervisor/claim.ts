/** @file One supervisor per home directory: the first claims it; what a killed one left behind is ended before anything starts. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { turnwiseHome } from '../../activities/artifacts/paths.ts';
import { identityOf, isAlive, killGroup } from './processIdentity.ts';
import { livingRecord, type ProcessRecord, readRecords, removeRecord, writeRecord } from './processRecords.ts';

/** @throws Error when another living turnwise process has claimed this home. */
export function claimHome(): void {
  const directory = join(turnwiseHome(), 'processes');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'supervisor.json');
  if (tryWrite(path)) return;
  const other = livingRecord('supervisor');
  if (other) throw new Error(`${turnwiseHome()} is in use by another turnwise (process ${other.pid}): end that one, or set TURNWISE_HOME to another directory`);
  rmSync(path, { force: true });
  if (!tryWrite(path)) throw new Error(`${turnwiseHome()}: another turnwise started here at the same moment; run the command again`);
}

/** `wx` makes the claim atomic: of two that start together one fails. */
function tryWrite(path: string): boolean {
  const record: ProcessRecord = { role: 'supervisor', ...ownIdentity(), startedAt: new Date().toISOString(), restarts: 0 };
  try {
    const file = openSync(path, 'wx');
    writeSync(file, JSON.stringify(record, null, 2));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** From now on other commands in this directory attach to this supervisor. */
export function announceServer({ address, namespace, uiUrl }: Pick<ProcessRecord, 'address' | 'namespace' | 'uiUrl'>): void {
  const record = readRecords().find(({ role }) => role === 'supervisor');
  if (record) writeRecord({ ...record, ...(address && { address }), ...(namespace && { namespace }), ...(uiUrl && { uiUrl }) });
}

function ownIdentity() {
  const identity = identityOf(process.pid);
  if (!identity) throw new Error('this system does not tell the start time of processes (neither /proc nor ps), which is needed to end only our own');
  return identity;
}

export function releaseHome(): void {
  const record = readRecords().find(({ role }) => role === 'supervisor');
  if (record?.pid === process.pid) removeRecord('supervisor');
}

/** Ends processes of an earlier supervisor that was killed. Pid and start time must both match, so nobody else's process is touched. */
export function reapOrphans(): ProcessRecord[] {
  const orphans = readRecords().filter(({ role, pid }) => role !== 'supervisor' && pid !== process.pid);
  const living = orphans.filter(isAlive);
  for (const record of orphans) {
    killGroup(record, 'SIGKILL');
    removeRecord(record.role);
  }
  return living;
}
