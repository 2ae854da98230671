/** @file The Docker daemon as this machine reaches it, and what to do when it cannot be reached. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { SandboxUnavailable } from '../sandbox.ts';

/** A daemon that starts nothing within this is of no use to a rollout. */
export const engineTimeoutMs = 60_000;

const systemSocket = '/var/run/docker.sock';

export interface Engine {
  readonly docker: Dockerode;
  /** As a person would write it. */
  readonly address: string;
}

/** DOCKER_HOST where it is set, else the system's socket, else that of a rootless daemon. Connects to nothing yet. */
export function engineOf(environment: Readonly<Record<string, string | undefined>> = process.env): Engine {
  const host = environment['DOCKER_HOST'];
  if (host !== undefined && host !== '' && !host.startsWith('unix://')) return { docker: new Dockerode(), address: host };
  const socketPath = host ? host.slice('unix://'.length) : localSocket(environment['XDG_RUNTIME_DIR']);
  return { docker: new Dockerode({ socketPath }), address: socketPath };
}

function localSocket(runtimeDirectory: string | undefined): string {
  const rootless = runtimeDirectory === undefined ? undefined : join(runtimeDirectory, 'docker.sock');
  return rootless !== undefined && !existsSync(systemSocket) && existsSync(rootless) ? rootless : systemSocket;
}

/** No daemon answers: for good when a worker starts, for a while when it had answered before. */
export class EngineUnreachable extends SandboxUnavailable {}

export interface EngineVersion {
  readonly version: string;
  readonly apiVersion: string;
}

/** @throws SandboxUnavailable saying what is missing and what to do. */
export async function engineVersion(engine: Engine, timeoutMs = 10_000): Promise<EngineVersion> {
  const answer = await asked(engine, 'its version', () => engine.docker.version(), timeoutMs);
  return { version: answer.Version, apiVersion: answer.ApiVersion };
}

/** One call of the daemon's API with a bound on its time. @throws SandboxUnavailable when the daemon is not there, slow, or lacks the image. */
export async function asked<Answer>(engine: Engine, what: string, call: () => Promise<Answer>, timeoutMs = engineTimeoutMs): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EngineUnreachable(slow(engine, what, timeoutMs))), timeoutMs);
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    throw explained(error, engine);
  } finally {
    clearTimeout(timer);
  }
}

const withoutDocker = 'for policies that you trust, TURNWISE_SANDBOX=embedded needs no Docker';

function slow({ address }: Engine, what: string, timeoutMs: number): string {
  return `Docker at ${address}: expected ${what} within ${timeoutMs / 1000} s, no answer came: the daemon is overloaded or hangs; look at its log (journalctl -u docker), restart it, or give the machine less to do`;
}

/** What the system says about a socket, in words that help. */
const remedies: { readonly [Code in string]?: (address: string) => string } = {
  ENOENT: (address) => `expected a socket at ${address}, there is none: install Docker (apt-get install docker.io) and start it, or set DOCKER_HOST`,
  EACCES: (address) =>
    `no permission to use ${address}: add yourself to the group docker (sudo usermod -aG docker $USER, then log in again), or use a rootless daemon`,
  ECONNREFUSED: (address) => `nothing listens at ${address}: the daemon is not running; start it (sudo systemctl start docker, or sudo dockerd)`,
  ENOTFOUND: (address) => `the host of ${address} is not known: check DOCKER_HOST`,
  ETIMEDOUT: (address) => `no answer from ${address}: check DOCKER_HOST and the network`,
};

/** Errors of the connection become EngineUnreachable; what the daemon itself answered stays as it is. */
export function explained(error: unknown, { address }: Engine): unknown {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  const remedy = remedies[code];
  return remedy === undefined ? error : new EngineUnreachable(`Docker: ${remedy(address)}; ${withoutDocker}`, { cause: error });
}

/** The daemon's own words, without the modem's. */
export function engineMessage(error: unknown): string {
  const { json, message } = error as { json?: { message?: string }; message?: string };
  return json?.message ?? message ?? String(error);
}

export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | null)?.statusCode;
}
