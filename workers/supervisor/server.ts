/** @file The Temporal server of this home: the one that is already there, or one of our own with its database under `.turnwise/`. */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { turnwiseHome } from '../../activities/artifacts/paths.ts';
import { taskQueues } from '../../core/run/names.ts';
import { answers, type ConnectionSettings, connect, connectionSettings } from '../config/connection.ts';
import { loadTemporalConfig } from '../config/temporalConfig.ts';
import { findServerBinary, type ServerBinary } from '../temporal/binary.ts';
import { startDevServer } from '../temporal/devServer.ts';
import { prepareNamespace } from '../temporal/namespace.ts';
import { openLog } from './cappedLog.ts';
import { type KeptProcess, keepProcess, type RunningProcess } from './keptProcess.ts';
import { identityOf, killGroup } from './processIdentity.ts';
import { readRecords, removeRecord, writeRecord } from './processRecords.ts';

export interface UsedServer {
  readonly address: string;
  readonly namespace: string;
  /** Absent for a server that is not ours: we do not know where its UI is. */
  readonly uiUrl?: string;
  /** Present when the server is ours to keep alive and to stop. */
  readonly kept?: KeptProcess;
}

export async function useServer(say: (line: string) => void): Promise<UsedServer> {
  const settings = connectionSettings();
  if (settings.configured || (await answers(settings))) return useExisting(settings, say);
  return startOwn(settings.namespace, say);
}

async function useExisting(settings: ConnectionSettings, say: (line: string) => void): Promise<UsedServer> {
  const connection = await connect(settings);
  try {
    say(`Temporal server: using the one at ${settings.address}`);
    await prepareNamespace(connection, settings.namespace, loadTemporalConfig()).catch((error: Error) => {
      throw new Error(
        `namespace ${settings.namespace}: search attributes or retention could not be set (${error.message}): create those of temporal.yaml by hand`,
      );
    });
    await refuseOtherWorkers(connection, settings);
  } finally {
    await connection.close();
  }
  return { address: settings.address, namespace: settings.namespace };
}

/** Workers of another home on the same queues would take this one's work and write it where nobody looks. */
async function refuseOtherWorkers(connection: Awaited<ReturnType<typeof connect>>, { namespace, address }: ConnectionSettings): Promise<void> {
  const { pollers } = await connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name: taskQueues.workflows }, taskQueueType: 1 });
  const own = new Set(readRecords().map(({ pid }) => pid));
  const other = (pollers ?? []).map(({ identity }) => localPid(identity ?? '')).find((pid) => pid !== undefined && !own.has(pid) && identityOf(pid));
  if (other === undefined) return;
  throw new Error(
    `the server at ${address} already has turnwise workers of another directory (process ${other}), which would take this one's work: ` +
      'end them, or use a server or namespace of your own (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, or devServer.port in temporal.yaml)',
  );
}

/** The SDK's default worker identity is `pid@host`. */
function localPid(identity: string): number | undefined {
  const [pid, host] = identity.split('@');
  return host === hostname() && /^\d+$/.test(pid ?? '') ? Number(pid) : undefined;
}

async function startOwn(namespace: string, say: (line: string) => void): Promise<UsedServer> {
  if (namespace !== 'default')
    throw new Error(`TEMPORAL_NAMESPACE=${namespace}: our own server has only the namespace default; name a server with TEMPORAL_ADDRESS`);
  const { devServer } = loadTemporalConfig();
  const binary = await findServerBinary(say);
  say(`Temporal server: starting ${binary.serverVersion} (${binary.source}: ${binary.path})`);
  const kept = keepProcess('server', () => startKept(binary), say);
  await kept.ready.catch(async (error: Error) => {
    await kept.stop(); // else it would be started again for ever, and nobody else knows it
    throw error;
  });
  return { address: `127.0.0.1:${devServer.port}`, namespace, uiUrl: `http://127.0.0.1:${devServer.uiPort}`, kept };
}

async function startKept(binary: ServerBinary): Promise<RunningProcess> {
  endPrevious();
  mkdirSync(turnwiseHome(), { recursive: true });
  const { port, uiPort } = loadTemporalConfig().devServer;
  const server = await startDevServer({ dbFile: join(turnwiseHome(), 'temporal.db'), port, uiPort, binary, log: openLog('server') });
  const guard = identityOf(server.guardPid);
  if (guard) writeRecord({ role: 'server-guard', ...guard, startedAt: new Date().toISOString(), restarts: 0 });
  return {
    pid: server.pid,
    ended: server.ended,
    stop: () => server.stop().then(() => removeRecord('server-guard')),
    kill: () => guard && killGroup(guard, 'SIGKILL'),
    details: { address: server.address, ...(server.uiUrl === undefined ? {} : { uiUrl: server.uiUrl }) },
  };
}

/** When only the guard was killed, its server still holds the port and the database. */
function endPrevious(): void {
  for (const record of readRecords().filter(({ role }) => role === 'server' || role === 'server-guard')) killGroup(record, 'SIGKILL');
}
