/** @file What Temporal must have: temporal.yaml, a server or the means to start one, search attributes, retention, workers. */
import { createConnection } from 'node:net';
import { taskQueues } from '../../core/run/names.ts';
import { type ConnectionSettings, connect, connectionSettings } from '../../workers/config/connection.ts';
import { loadTemporalConfig, type TemporalConfig } from '../../workers/config/temporalConfig.ts';
import { isAlive } from '../../workers/supervisor/processIdentity.ts';
import { readRecords, workerRoles } from '../../workers/supervisor/processRecords.ts';
import { findInstalledBinary } from '../../workers/temporal/binary.ts';
import { describeNamespace } from '../../workers/temporal/namespace.ts';
import type { Check } from './machine.ts';

type Connection = Awaited<ReturnType<typeof connect>>;

export async function temporalChecks(): Promise<Check[]> {
  try {
    const config = loadTemporalConfig();
    const settings = connectionSettings();
    return [{ name: 'temporal.yaml', state: 'ok', found: `${Object.keys(taskQueues).length} task queues` }, ...(await serverChecks(settings, config))];
  } catch (error) {
    return [{ name: 'temporal.yaml', state: 'failed', found: (error as Error).message, remedy: 'correct the keys that are named' }];
  }
}

async function serverChecks(settings: ConnectionSettings, config: TemporalConfig): Promise<Check[]> {
  const connection = await connect(settings).catch(() => undefined);
  if (!connection) return [await noServerCheck(settings)];
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    const found = `${serverVersion} at ${settings.address}`;
    return [{ name: 'Temporal server', state: 'ok', found }, ...(await namespaceChecks(connection, settings.namespace, config)), workersCheck()];
  } finally {
    await connection.close();
  }
}

async function noServerCheck(settings: ConnectionSettings): Promise<Check> {
  const name = 'Temporal server';
  if (settings.configured) {
    return { name, state: 'failed', found: `no answer at ${settings.address}`, remedy: 'start it, or check TEMPORAL_ADDRESS and temporal.toml' };
  }
  if (await isTaken(settings.address)) {
    const remedy = 'end what listens there, or choose another in temporal.yaml (devServer.port, devServer.uiPort)';
    return { name, state: 'failed', found: `${settings.address} is taken by something that is no Temporal server`, remedy };
  }
  const binary = await findInstalledBinary();
  if (binary) return { name, state: 'ok', found: `none runs; ${binary.serverVersion} is installed (${binary.source}) and started when needed` };
  return { name, state: 'warning', found: 'none runs, no binary yet', remedy: '`npm run up` downloads or builds one (or install the Temporal CLI)' };
}

function isTaken(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  const socket = createConnection({ host, port: Number(port), timeout: 1000 });
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    for (const event of ['error', 'timeout']) socket.once(event, () => resolve(false));
  }).finally(() => socket.destroy());
}

async function namespaceChecks(connection: Connection, namespace: string, config: TemporalConfig): Promise<Check[]> {
  const known = await describeNamespace(connection, namespace, config).catch((error: Error) => error);
  if (known instanceof Error) {
    return [
      { name: 'namespace', state: 'failed', found: `${namespace}: ${known.message}`, remedy: `create it: temporal operator namespace create ${namespace}` },
    ];
  }
  const missing = known.missingAttributes;
  const attributes: Check =
    missing.length === 0
      ? { name: 'search attributes', state: 'ok', found: `${Object.keys(config.searchAttributes).length} in namespace ${namespace}` }
      : {
          name: 'search attributes',
          state: 'failed',
          found: `missing: ${missing.join(', ')}`,
          remedy: '`npm run up` adds them (on Temporal Cloud: by its UI)',
        };
  const hours = known.retentionMs / 3_600_000;
  const wanted = config.devServer.retention / 3_600_000;
  const retention: Check =
    hours >= wanted
      ? { name: 'retention', state: 'ok', found: `${hours} h` }
      : {
          name: 'retention',
          state: 'warning',
          found: `${hours} h: finished runs leave the UI early`,
          remedy: `temporal operator namespace update --retention ${wanted}h ${namespace}`,
        };
  return [attributes, retention];
}

function workersCheck(): Check {
  const running = readRecords()
    .filter(isAlive)
    .map(({ role }) => role as string);
  const missing = workerRoles.filter((role) => !running.includes(role));
  if (missing.length === 0) return { name: 'workers', state: 'ok', found: workerRoles.join(', ') };
  return { name: 'workers', state: 'ok', found: `not running in this directory: ${missing.join(', ')}; commands start their own` };
}
