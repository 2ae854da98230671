/** @file A rollout's session in a box: its setup, the cells that it has committed, and the same session again where code has taken it down. */
import { randomUUID } from 'node:crypto';
import type { ExecutionResult } from '../../../core/rollout/types.ts';
import { type OpenOptions, type Sandbox, SandboxBroken } from '../sandbox.ts';
import { type Box, SessionGone } from './box.ts';
import type { Lease } from './pool.ts';
import type { Execution } from './protocol.ts';
import { detailedResult, runLimitsOf } from './runLimits.ts';

/** Setups and replays ran within their limit before; on a machine that is busy now they may take longer. */
const replayFactor = 4;

export class DockerSandbox implements Sandbox {
  readonly id = randomUUID();
  readonly #lease: Lease<Box>;
  readonly #options: OpenOptions;
  readonly #committed: { readonly code: string; readonly stdin: string }[] = [];
  /** Whether the box holds the session. */
  #held = false;
  #closed: Promise<void> | undefined;
  /** Of the lease, told with the first cell that used it. */
  #queueMs: number;
  #queue: Promise<unknown> = Promise.resolve();

  static async open(lease: Lease<Box>, options: OpenOptions): Promise<DockerSandbox> {
    const sandbox = new DockerSandbox(lease, options);
    await sandbox.#inOrder(() => sandbox.#begin(options.signal));
    return sandbox;
  }

  private constructor(lease: Lease<Box>, options: OpenOptions) {
    this.#lease = lease;
    this.#options = options;
    this.#queueMs = lease.queueMs;
  }

  execute(code: string, signal: AbortSignal, stdin = ''): Promise<ExecutionResult> {
    return this.#inOrder(() => this.#execute(code, stdin, signal));
  }

  close(): Promise<void> {
    this.#closed ??= this.#inOrder(() => this.#lease.release());
    return this.#closed;
  }

  async #execute(code: string, stdin: string, signal: AbortSignal): Promise<ExecutionResult> {
    if (this.#closed !== undefined) throw new SandboxBroken(`${this.#name}: expected it to be open, it is closed`);
    signal.throwIfAborted();
    const { limits } = this.#options;
    const execution = await this.#cellHere(code, stdin, signal);
    this.#held = execution.state !== 'lost';
    if (execution.state === 'committed') this.#committed.push({ code, stdin });
    const queueMs = this.#queueMs;
    this.#queueMs = 0;
    return detailedResult(execution, limits.outputBytes, { queueMs, box: this.#lease.box.containerId });
  }

  /**
   * In the session that is there, or made again where it turns out to be gone. One that is gone again was taken down by the cell before, which said that it was done and
   * left nothing to go on from: it counts as rolled back, so that no code can turn its rollout into a failure of the box.
   */
  async #cellHere(code: string, stdin: string, signal: AbortSignal): Promise<Execution> {
    if (!this.#held) await this.#restore(signal);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#cell(code, stdin, 1, signal);
      } catch (error) {
        if (!(error instanceof SessionGone) || attempt === 3) throw error;
        if (attempt === 2) this.#committed.pop();
        await this.#restore(signal);
      }
    }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { setup, limits, rollback = true } = this.#options;
    const question = { op: 'open', code: setup, stdin: '', limits: runLimitsOf(limits, replayFactor), rollback } as const;
    const execution = await this.#lease.box.perform(question, signal);
    this.#held = execution.state === 'committed';
    if (this.#held) return;
    const { report, status } = execution;
    throw new SandboxBroken(
      `${this.#name}: expected the task's setup to run, it ${report ? `raised ${report.errorType}` : `ended as ${status}`}:\n${report?.traceback ?? ''}`,
    );
  }

  /** Code that takes its session down gets the one before it back: setup and committed cells again, in the same box, emptied. */
  async #restore(signal: AbortSignal): Promise<void> {
    if (!(await this.#lease.box.reset())) throw new SandboxBroken(`${this.#name}: expected an empty box to make the session again, something was left in it`);
    await this.#begin(signal);
    for (const [index, { code, stdin }] of this.#committed.entries()) {
      const { state, status } = await this.#cell(code, stdin, replayFactor, signal);
      if (state === 'committed') continue;
      this.#held = false;
      throw new SandboxBroken(`${this.#name}: expected committed cell ${index + 1} to run to its end again, it was ${status}`);
    }
  }

  #cell(code: string, stdin: string, factor: number, signal: AbortSignal): Promise<Execution> {
    const limits = runLimitsOf(this.#options.limits, factor);
    return this.#lease.box.perform({ op: 'execute', code, stdin, limits, filesIn: [], filesOut: [] }, signal);
  }

  get #name(): string {
    return `sandbox of ${this.#options.owner}`;
  }

  /** One thing at a time on a session, in the order asked. */
  #inOrder<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(act);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}
