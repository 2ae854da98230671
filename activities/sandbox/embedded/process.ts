/** @file One interpreter process as the sandbox worker sees it: started with nothing inherited, asked one thing at a time, killed when it does not obey. */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { limitProcessorTime, processMs } from '../../processorTime.ts';
import { SandboxBroken } from '../sandbox.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { type Answer, parseAnswer, type Request } from './protocol.ts';

export type Question = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

/** How long a process may take to stop a cell by itself before it is killed: after a timeout, and after a cancellation. */
const graceMs = { timeout: 150, cancelled: 40 } as const;
const startMs = 60_000;

/** `stopped`: the process had to be killed (or the cell was stopped), for this reason. */
export type Reply = { readonly answer: Answer; readonly stopped?: 'timeout' | 'cancelled' } | { readonly killed: 'timeout' | 'cancelled' };

/** The request never ran: its process ended before it was sent, or holds the session no longer. Asking again elsewhere repeats nothing. */
export class SessionGone extends SandboxBroken {}

interface Pending {
  readonly id: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  stopped?: 'timeout' | 'cancelled';
}

/**
 * Flags of the process: strings are never code, and Node's permission model leaves it files to read and its own threads. It has no flag for the network in this Node;
 * that there is none is up to the boundary.
 */
function nodeFlags(): string[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const pyodide = dirname(fileURLToPath(import.meta.resolve('pyodide')));
  return [
    '--disallow-code-generation-from-strings',
    '--permission',
    '--allow-worker',
    `--allow-fs-read=${here}`,
    `--allow-fs-read=${pyodide}`,
    '--no-warnings',
    fileURLToPath(new URL('interpreterProcess.ts', import.meta.url)),
  ];
}

export class InterpreterProcess {
  readonly #child: ChildProcess;
  readonly #answers = new FrameReader();
  readonly ready: Promise<void>;
  #settleReady: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #pending: Pending | undefined;
  #lastId = 0;
  #errorOutput = '';
  #ended: Error | undefined;
  readonly #onEnd: (process: InterpreterProcess) => void;

  constructor(onEnd: (process: InterpreterProcess) => void) {
    this.#onEnd = onEnd;
    this.#child = spawn(process.execPath, nodeFlags(), { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    const timer = setTimeout(() => this.kill(`it was not ready after ${startMs} ms`), startMs);
    this.ready.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#errorOutput = (this.#errorOutput + chunk.toString('utf8')).slice(-2000);
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => this.#end(`it could not be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => this.#end(`it ended with ${signal ?? `code ${code}`}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#ended === undefined;
  }

  get idle(): boolean {
    return this.#pending === undefined;
  }

  /**
   * A cell that has had a processor for `limitMs` is stopped. @throws SandboxBroken when the process ends for a reason that is neither this nor
   * `signal`: also when the machine hardly gave it a processor.
   */
  async ask(question: Question, limitMs: number, signal?: AbortSignal): Promise<Reply> {
    await this.ready.catch(() => undefined);
    if (this.#ended !== undefined) throw new SessionGone(this.#ended.message);
    if (signal?.aborted === true) return { killed: 'cancelled' };
    if (this.#pending !== undefined) throw new Error('interpreter: expected one request at a time');
    this.#lastId += 1;
    const id = this.#lastId;
    const reply = new Promise<Reply>((resolve, reject) => {
      this.#pending = { id, resolve, reject };
    });
    this.#send({ ...question, id });
    const callOff = limitProcessorTime({
      limitMs,
      used: () => (this.#child.pid === undefined ? undefined : processMs(this.#child.pid)),
      onSpent: () => this.#stop(id, 'timeout'),
      onStarved: () => this.kill('its cell waited for a processor many times as long as it may run; the machine is overloaded'),
    });
    const cancel = () => this.#stop(id, 'cancelled');
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await reply;
    } finally {
      callOff();
      signal?.removeEventListener('abort', cancel);
    }
  }

  kill(reason: string): void {
    this.#child.kill('SIGKILL');
    this.#end(reason);
  }

  /** Asks the thread to unwind the cell; a loop in C does not hear it, so the process follows. */
  #stop(id: number, reason: 'timeout' | 'cancelled'): void {
    const pending = this.#pending;
    if (pending?.id !== id || pending.stopped !== undefined) return;
    pending.stopped = reason;
    this.#send({ op: 'interrupt', id });
    setTimeout(() => {
      if (this.#pending?.id === id) this.kill(`its cell did not stop after ${reason}`);
    }, graceMs[reason]);
  }

  #send(message: unknown): void {
    this.#child.stdin?.write(encodeFrame(message));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#answers.push(chunk)) this.#accept(message);
    } catch (error) {
      this.kill(error instanceof Error ? error.message : String(error));
    }
  }

  #accept(message: unknown): void {
    if (this.#settleReady !== undefined && (message as { op?: unknown } | null)?.op === 'ready') {
      this.#settleReady.resolve();
      this.#settleReady = undefined;
      return;
    }
    const pending = this.#pending;
    if (pending === undefined) throw new Error('it sent a frame that nobody asked for');
    const answer = parseAnswer(message, pending.id);
    this.#pending = undefined;
    pending.resolve({ answer, ...(pending.stopped === undefined ? {} : { stopped: pending.stopped }) });
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    const detail = this.#errorOutput === '' ? '' : `: ${this.#errorOutput.trim()}`;
    this.#ended = new SandboxBroken(`interpreter process ${this.pid ?? '(not started)'}: ${reason}${detail}`);
    this.#settleReady?.reject(this.#ended);
    this.#settleReady = undefined;
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending?.stopped !== undefined) pending.resolve({ killed: pending.stopped });
    else pending?.reject(this.#ended);
    this.#onEnd(this);
  }
}
