/** @file How to reach Temporal: TEMPORAL_* and temporal.toml first, then the server that turnwise runs here, then the port in temporal.yaml. */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { livingRecord } from '../supervisor/processRecords.ts';
import { loadTemporalConfig } from './temporalConfig.ts';

type ConnectConfig = ReturnType<typeof loadClientConnectConfig>;

export interface ConnectionSettings {
  readonly address: string;
  readonly namespace: string;
  /** True when a person named the server: then turnwise never starts one. */
  readonly configured: boolean;
  readonly options: ConnectConfig['connectionOptions'];
}

export function connectionSettings(): ConnectionSettings {
  const { connectionOptions: options, namespace } = loadClientConnectConfig();
  const configured = options.address !== undefined;
  const address = options.address ?? livingRecord('server')?.address ?? `127.0.0.1:${loadTemporalConfig().devServer.port}`;
  return { address, namespace: namespace ?? 'default', configured, options: { ...options, address } };
}

/** For scripts. The caller closes `client.connection`. @throws Error with the remedy when the server does not answer. */
export async function connectClient(settings = connectionSettings()): Promise<Client> {
  return new Client({ connection: await connect(settings), namespace: settings.namespace });
}

export async function connect(settings = connectionSettings(), timeoutMs = 3000): Promise<Connection> {
  return Connection.connect({ ...settings.options, connectTimeout: timeoutMs }).catch((error: unknown) => {
    throw unreachable(settings, error);
  });
}

/** For workers. The caller closes `connection`. */
export async function connectWorker(settings = connectionSettings()): Promise<{ connection: NativeConnection; namespace: string }> {
  const connection = await NativeConnection.connect(settings.options).catch((error: unknown) => {
    throw unreachable(settings, error);
  });
  return { connection, namespace: settings.namespace };
}

/** Whether a Temporal server answers there; false also for a port that something else holds. */
export async function answers(settings = connectionSettings(), timeoutMs = 1500): Promise<boolean> {
  const connection = await connect(settings, timeoutMs).catch(() => undefined);
  await connection?.close();
  return connection !== undefined;
}

function unreachable(settings: ConnectionSettings, cause: unknown): Error {
  const remedy = settings.configured
    ? 'check TEMPORAL_ADDRESS or temporal.toml, TLS and API key, and that the server runs'
    : '`npm run up` starts one here; or name another with TEMPORAL_ADDRESS=host:port';
  return new Error(`Temporal server: no answer at ${settings.address} (namespace ${settings.namespace}): ${remedy}`, { cause });
}
