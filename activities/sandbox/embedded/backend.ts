/**
 * @file The embedded sandbox: CPython as WebAssembly in processes of its own, for machines without a container runtime.
 * Covered: code that loops, eats memory, floods its output, breaks its interpreter, or looks for files, processes, the network and JavaScript; sessions share no memory.
 * Not covered: it is not a boundary against hostile code. An error in V8's WebAssembly or in the host's half of the import table is a way out with the rights of the
 * user who runs the worker. For policies that you do not trust use the docker backend.
 */
import { randomUUID } from 'node:crypto';
import type { ExecutionResult } from '../../../core/rollout/types.ts';
import { type OpenOptions, type RunOptions, type Sandbox, type SandboxBackend, SandboxBroken } from '../sandbox.ts';
import { type Lease, ProcessPool } from './pool.ts';
import { type Reply, SessionGone } from './process.ts';
import type { CellAnswer } from './protocol.ts';

export interface EmbeddedOptions {
  /** Interpreter processes; about 170 MB each. */
  readonly processes: number;
}

/** A neighbour may end a process while this session waits for it, but hardly three times. */
const processesToTry = 3;

/** Setups and replays may take longer than a cell: they are many cells at once on a busy machine, and ran within their limit before. */
const replayFactor = 4;

export class EmbeddedBackend implements SandboxBackend {
  readonly name = 'embedded';
  readonly #pool: ProcessPool;

  constructor(options: EmbeddedOptions) {
    this.#pool = new ProcessPool(options.processes);
  }

  async open(options: OpenOptions): Promise<Sandbox> {
    const sandbox = new EmbeddedSandbox(this.#pool, options);
    await sandbox.begin(options.signal);
    return sandbox;
  }

  async run({ owner, code, stdin, limits, signal }: RunOptions): Promise<ExecutionResult> {
    const sandbox = await this.open({ owner, setup: '', limits, signal });
    try {
      return await sandbox.execute(code, signal, stdin);
    } finally {
      await sandbox.close();
    }
  }

  async warm(): Promise<void> {
    await this.#pool.warm();
  }

  /** For status and tests. */
  get pids(): readonly number[] {
    return this.#pool.pids;
  }

  async shutdown(): Promise<void> {
    this.#pool.shutdown();
  }
}

/** A session, of which a process holds the state. Where that process is gone the session is made again from its setup and its committed cells. */
class EmbeddedSandbox implements Sandbox {
  readonly id = randomUUID();
  readonly #pool: ProcessPool;
  readonly #options: OpenOptions;
  readonly #committed: { readonly code: string; readonly stdin: string }[] = [];
  #lease: Lease | undefined;
  /** Whether the leased process holds the session. */
  #held = false;
  #closed = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(pool: ProcessPool, options: OpenOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  async begin(signal: AbortSignal): Promise<void> {
    await this.#inOrder(async () => {
      for (let attempt = 1; !this.#held; attempt += 1) {
        await this.#rebuild(signal).catch((error: unknown) => {
          if (!(error instanceof SessionGone) || attempt === processesToTry) throw error;
        });
      }
    });
  }

  async execute(code: string, signal: AbortSignal, stdin = ''): Promise<ExecutionResult> {
    return this.#inOrder(() => this.#execute(code, stdin, signal));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inOrder(async () => {
      const lease = this.#lease;
      this.#lease = undefined;
      if (lease === undefined) return;
      if (lease.alive) await lease.ask({ op: 'close', sandbox: this.id }, this.#options.limits.wallMs).catch(() => undefined);
      lease.release();
    });
  }

  async #execute(code: string, stdin: string, signal: AbortSignal): Promise<ExecutionResult> {
    if (this.#closed) throw new SandboxBroken(`sandbox of ${this.#options.owner}: expected it to be open, it is closed`);
    const { reply, startedAt } = await this.#askHolder(code, stdin, signal);
    const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
    if ('killed' in reply) this.#held = false;
    const stopped = 'killed' in reply ? reply.killed : reply.stopped;
    const cell = 'answer' in reply && reply.answer.op === 'cell' ? reply.answer : undefined;
    if (cell !== undefined) this.#held = cell.held;
    if (cell === undefined || cell.ending === 'interrupted') {
      signal.throwIfAborted();
      if (stopped !== 'timeout') throw new SandboxBroken(`sandbox of ${this.#options.owner}: expected an answer to a cell, the session was lost`);
      return timedOut(durationMs);
    }
    if (cell.ending === 'returned') this.#committed.push({ code, stdin });
    return resultOf(cell, durationMs);
  }

  /** Asks the process that holds the session; where that is none any more, the session is made again, in which nothing has run twice. */
  async #askHolder(code: string, stdin: string, signal: AbortSignal): Promise<{ reply: Reply; startedAt: number }> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const lease = await this.#ensureHeld(signal);
        const startedAt = performance.now();
        const reply = await this.#ask(lease, code, stdin, this.#options.limits.wallMs, signal);
        if ('answer' in reply && reply.answer.op === 'unknown') throw new SessionGone(`sandbox of ${this.#options.owner}: its process dropped it`);
        return { reply, startedAt };
      } catch (error) {
        this.#held = false;
        if (!(error instanceof SessionGone) || attempt === processesToTry) throw error;
      }
    }
  }

  async #ensureHeld(signal: AbortSignal): Promise<Lease> {
    if (this.#lease !== undefined && this.#held && this.#lease.alive) return this.#lease;
    return this.#rebuild(signal);
  }

  /** Setup and committed cells again, in a process that lives. They are pure computation, so that this restores the session and changes nothing else. */
  async #rebuild(signal: AbortSignal): Promise<Lease> {
    if (this.#lease?.alive !== true) {
      this.#lease?.release();
      this.#lease = await this.#pool.lease(this.#options.setup, signal);
    }
    const lease = this.#lease;
    const wallMs = this.#options.limits.wallMs * replayFactor;
    const opened = await lease.ask({ op: 'open', sandbox: this.id, setup: this.#options.setup, ...this.#bounds() }, wallMs, signal);
    this.#expectReturned(opened, 'setup', signal);
    if ('answer' in opened && opened.answer.op === 'cell' && opened.answer.exitCode !== 0) {
      throw new SandboxBroken(
        `sandbox of ${this.#options.owner}: expected the task's setup to run, it raised ${opened.answer.errorType}:\n${opened.answer.stderr}`,
      );
    }
    for (const { code, stdin } of this.#committed) this.#expectReturned(await this.#ask(lease, code, stdin, wallMs, signal), 'a committed cell', signal);
    this.#held = true;
    return lease;
  }

  #expectReturned(reply: Reply, what: string, signal: AbortSignal): void {
    const ending = 'answer' in reply && reply.answer.op === 'cell' ? reply.answer.ending : 'lost';
    if (ending === 'returned') return;
    this.#held = false;
    signal.throwIfAborted();
    throw new SandboxBroken(`sandbox of ${this.#options.owner}: expected ${what} to run to its end, it was ${ending}`);
  }

  #ask(lease: Lease, code: string, stdin: string, wallMs: number, signal: AbortSignal): Promise<Reply> {
    return lease.ask({ op: 'cell', sandbox: this.id, code, stdin, ...this.#bounds() }, wallMs, signal);
  }

  #bounds(): { memoryBytes: number; outputBytes: number } {
    return { memoryBytes: this.#options.limits.memoryMiB * 1024 * 1024, outputBytes: this.#options.limits.outputBytes };
  }

  /** One thing at a time on a session, in the order asked. */
  #inOrder<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(act);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function timedOut(durationMs: number): ExecutionResult {
  return { exitCode: null, stdout: '', stderr: '', errorType: 'TimeoutError', timedOut: true, outOfMemory: false, truncated: false, durationMs };
}

function resultOf(cell: CellAnswer, durationMs: number): ExecutionResult {
  return {
    exitCode: cell.exitCode,
    stdout: cell.stdout,
    stderr: cell.stderr,
    ...(cell.value === undefined ? {} : { value: cell.value }),
    ...(cell.errorType === undefined ? {} : { errorType: cell.errorType }),
    timedOut: false,
    outOfMemory: cell.ending === 'outOfMemory',
    truncated: cell.truncated,
    durationMs,
  };
}
