/** @file A Temporal server of our own on loopback: started through its guard (workers/server.ts), so that it ends when its owner does. */
import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { loadTemporalConfig, type TemporalConfig } from '../config/temporalConfig.ts';
import { findServerBinary, type ServerBinary } from './binary.ts';
import { prepareNamespace } from './namespace.ts';

export interface DevServerOptions {
  /** SQLite file; its directory must exist. */
  readonly dbFile: string;
  /** Absent: a free one. */
  readonly port?: number;
  /** Absent: a free one; `null`: no UI. */
  readonly uiPort?: number | null;
  /** Absent: found or made. */
  readonly binary?: ServerBinary;
  /** Receives the server's own output, line by line; absent: dropped. */
  readonly log?: (text: string) => void;
}

export interface DevServer {
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** Of the server itself. */
  readonly pid: number;
  /** Of the process that ends it when we are gone. */
  readonly guardPid: number;
  /** Resolves when the server has ended, for whatever reason, with that reason. */
  readonly ended: Promise<string>;
  /** Idempotent; resolves when the server is gone. */
  stop(): Promise<void>;
}

const guardPath = fileURLToPath(new URL('../server.ts', import.meta.url));
/** It takes a second or two; once, right after it was built on a busy machine, it took more than 20. */
const healthyWithinMs = 60_000;

/** Starts a server, waits until it answers, sets retention and search attributes. */
export async function startDevServer(options: DevServerOptions, config = loadTemporalConfig()): Promise<DevServer> {
  const binary = options.binary ?? (await findServerBinary());
  const port = await claimPort(options.port);
  const uiPort = options.uiPort === null ? null : await claimPort(options.uiPort);
  const server = await startGuard(binary.path, serverArguments(options.dbFile, port, uiPort, config), options.log);
  const address = `127.0.0.1:${port}`;
  try {
    await Promise.race([prepareWhenHealthy(address, config), server.ended.then(failedToStart)]);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { ...server, address, uiUrl: uiPort === null ? undefined : `http://127.0.0.1:${uiPort}` };
}

/** The command line: loopback only, the tuned settings of temporal.yaml. */
function serverArguments(dbFile: string, port: number, uiPort: number | null, { devServer }: TemporalConfig): string[] {
  const pragmas = Object.entries(devServer.sqlitePragmas).flatMap(([name, value]) => ['--sqlite-pragma', `${name}=${value}`]);
  const dynamic = Object.entries(devServer.dynamicConfig).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${JSON.stringify(value)}`]);
  const ui = uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)];
  return ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), ...ui, '--db-filename', dbFile, ...pragmas, ...dynamic, '--log-level', 'warn'];
}

async function prepareWhenHealthy(address: string, config: TemporalConfig): Promise<void> {
  const deadline = Date.now() + healthyWithinMs;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1000 });
      await prepareNamespace(connection, 'default', config).finally(() => connection.close());
      return;
    } catch (error) {
      if (Date.now() > deadline) throw notHealthy(address, error as Error);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function notHealthy(address: string, cause: Error): Error {
  return new Error(`Temporal server: not healthy at ${address} within ${healthyWithinMs / 1000} s: ${cause.message}`, { cause });
}

function failedToStart(reason: string): never {
  throw new Error(`Temporal server: ended while starting: ${reason}`);
}

async function startGuard(binary: string, parameters: string[], log: DevServerOptions['log']) {
  const guard = fork(guardPath, [binary, ...parameters], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
  let lastOutput = '';
  const keep = (chunk: Buffer) => {
    lastOutput = `${lastOutput}${chunk}`.slice(-2000);
    log?.(chunk.toString());
  };
  guard.stdout?.on('data', keep);
  guard.stderr?.on('data', keep);
  const ended = new Promise<string>((resolve) => {
    guard.on('error', (error) => resolve(error.message));
    guard.on('exit', (code, signal) =>
      resolve(`${signal ?? `exit code ${code}`}${lastOutput.trim() === '' ? '' : `\nits last output:\n${lastOutput.trim()}`}`),
    );
  });
  const started = new Promise<number>((resolve) => guard.once('message', (message) => resolve((message as { pid: number }).pid)));
  const pid = await Promise.race([started, ended.then(failedToStart)]);
  const stop = async () => {
    if (guard.connected) guard.disconnect();
    await ended;
  };
  return { pid, guardPid: guard.pid ?? 0, ended, stop };
}

/** @throws Error with the remedy when the wanted port is taken. */
async function claimPort(wanted: number | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => reject(portError(wanted, error)));
    probe.listen(wanted ?? 0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

function portError(wanted: number | undefined, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'EADDRINUSE') return error;
  const remedy = 'end what listens there, or choose another in temporal.yaml (devServer.port, devServer.uiPort)';
  return new Error(`port ${wanted} on 127.0.0.1 is taken by something that is no Temporal server: ${remedy}`, { cause: error });
}
