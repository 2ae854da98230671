/** @file A turnwise of its own in a temporary home, run as a person runs it (`up`), so that tests can kill what a machine can lose. */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import type { RunConfig } from '../../core/run/config.ts';
import { taskQueues, workflowIds } from '../../core/run/names.ts';
import type { TrainResult } from '../../core/run/types.ts';
import { loadTemporalConfig } from '../../workers/config/temporalConfig.ts';
import { identityOf, isAlive, type ProcessIdentity } from '../../workers/supervisor/processIdentity.ts';
import type { ProcessRecord, Role } from '../../workers/supervisor/processRecords.ts';
import { temporalConfigWithOwnPorts } from '../support/ownPorts.ts';

const upScript = fileURLToPath(new URL('../../scripts/up.ts', import.meta.url));

export class Turnwise {
  readonly home: string;
  readonly address: string;
  readonly #environment: NodeJS.ProcessEnv;
  #up: ChildProcess | undefined;
  /** Every process seen below the supervisor, by pid and start: none may outlive it. */
  readonly #seen = new Map<string, ProcessIdentity>();
  #output = '';

  private constructor(home: string, address: string, environment: NodeJS.ProcessEnv) {
    this.home = home;
    this.address = address;
    this.#environment = environment;
  }

  /** Ports of its own, so that it lives beside whatever else runs here. */
  static async prepare(home: string): Promise<Turnwise> {
    const configPath = await temporalConfigWithOwnPorts(home);
    const { port } = loadTemporalConfig(configPath).devServer;
    const { TEMPORAL_ADDRESS: _other, ...inherited } = process.env;
    return new Turnwise(home, `127.0.0.1:${port}`, { ...inherited, TURNWISE_HOME: home, TURNWISE_TEMPORAL_YAML: configPath });
  }

  /** Resolves when the server and all workers are ready. */
  async start(): Promise<void> {
    const up = fork(upScript, [], { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: ['--disable-warning=ExperimentalWarning'] });
    this.#up = up;
    const keep = (chunk: Buffer) => {
      this.#output = `${this.#output}${chunk}`.slice(-8000);
    };
    up.stdout?.on('data', keep);
    up.stderr?.on('data', keep);
    await until(
      () => {
        if (up.exitCode !== null) throw new Error(`up ended with ${up.exitCode}:\n${this.#output}`);
        return this.record('supervisor')?.address !== undefined && this.record('supervisor')?.pid === up.pid;
      },
      120_000,
      `up ready; its output:\n${this.#output}`,
    );
  }

  /** As Ctrl-C does. */
  async stop(): Promise<void> {
    this.watch();
    const up = this.#up;
    if (!up || up.exitCode !== null || up.signalCode !== null) return;
    const ended = new Promise((resolve) => up.once('exit', resolve));
    up.kill('SIGTERM');
    await ended;
  }

  record(role: Role): ProcessRecord | undefined {
    try {
      return JSON.parse(readFileSync(join(this.home, 'processes', `${role}.json`), 'utf8')) as ProcessRecord;
    } catch {
      return undefined; // not started yet, or being replaced
    }
  }

  /** `kill -9`. */
  kill(role: Role): void {
    const record = this.record(role);
    if (!record) throw new Error(`kill ${role}: no such process in ${this.home}`);
    process.kill(record.pid, 'SIGKILL');
  }

  /** Notes every process below the supervisor. */
  watch(): ProcessIdentity[] {
    const root = this.record('supervisor')?.pid;
    const found = root === undefined ? [] : descendants(root);
    for (const identity of found) this.#seen.set(`${identity.pid}/${identity.started}`, identity);
    return found;
  }

  /** What `watch` has seen and still lives. */
  survivors(): ProcessIdentity[] {
    return [...this.#seen.values()].filter(isAlive);
  }

  async client(): Promise<Client> {
    return new Client({ connection: await Connection.connect({ address: this.address, connectTimeout: 20_000 }) });
  }

  async train(client: Client, run: string, config: RunConfig): Promise<WorkflowHandle> {
    return client.workflow.start('train', { workflowId: workflowIds.train(run), taskQueue: taskQueues.workflows, args: [{ run, config }] });
  }

  /** The result of a run, whatever happens to the connection while one waits. */
  async result(run: string, timeoutMs = 180_000): Promise<TrainResult> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      this.watch();
      const client = await this.client();
      try {
        const handle = client.workflow.getHandle(workflowIds.train(run));
        const description = await handle.describe();
        if (description.status.name !== 'RUNNING') return (await handle.result()) as TrainResult;
      } catch (error) {
        if (Date.now() > deadline || !isConnectionError(error)) throw error;
      } finally {
        await client.connection.close();
      }
      if (Date.now() > deadline) throw new Error(`${run}: expected it to end within ${timeoutMs / 1000} s;\n${this.#output}`);
      await sleep(250);
    }
  }

  runFile(run: string, ...path: string[]): string {
    return join(this.home, 'runs', run, ...path);
  }

  weightsSha256(run: string, checkpoint: string): string {
    return createHash('sha256')
      .update(readFileSync(this.runFile(run, checkpoint, 'policy', 'model.safetensors')))
      .digest('hex');
  }

  get output(): string {
    return this.#output;
  }
}

/** Waits until an activity of this type is being carried out in one of the run's workflows. */
export async function untilStarted(client: Client, workflowId: string, activityType: string, timeoutMs = 60_000): Promise<void> {
  await until(
    async () => {
      const description = await client.workflow.getHandle(workflowId).describe().catch(notYet);
      return (description?.raw.pendingActivities ?? []).some((activity) => activity.activityType?.name === activityType && activity.state === 2);
    },
    timeoutMs,
    `${activityType} started in ${workflowId}`,
    2,
  );
}

/** The workflow has not been started yet. */
function notYet(error: Error): undefined {
  if (error.name !== 'WorkflowNotFoundError') throw error;
}

export async function until(condition: () => boolean | Promise<boolean>, timeoutMs: number, what: string, everyMs = 50): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`expected within ${timeoutMs / 1000} s: ${what}`);
    await sleep(everyMs);
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** All processes below one, by the parent column of /proc. */
export function descendants(root: number): ProcessIdentity[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name));
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === root || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow).flatMap((pid) => identityOf(pid) ?? []);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it ended in between
  }
}

function isConnectionError(error: unknown): boolean {
  const text = `${(error as Error).name} ${(error as Error).message} ${(error as { cause?: Error }).cause?.message ?? ''}`;
  return /UNAVAILABLE|ECONN|deadline|Failed to connect|CANCELLED|Unexpected error/i.test(text);
}
