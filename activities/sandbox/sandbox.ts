/** @file The sandbox interface: one isolated Python session whose state lasts over the turns of a rollout. Backends: embedded (here), docker. */
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';

export interface SandboxBackend {
  /** `embedded` or `docker`. */
  readonly name: string;
  /** Resolves when a session can be opened without waiting for a process to start. @throws SandboxBroken when that cannot be. */
  warm(): Promise<void>;
  /** Runs `setup` silently in a fresh session. @throws SandboxBroken when no session can be had. */
  open(options: OpenOptions): Promise<Sandbox>;
  /** Ends every session and process; idempotent. */
  shutdown(): Promise<void>;
}

export interface OpenOptions {
  /** Owner, for labels and messages: `<workflow id>/r<sibling>`. */
  readonly owner: string;
  readonly setup: string;
  readonly limits: ExecutionLimits;
  readonly signal: AbortSignal;
}

export interface Sandbox {
  readonly id: string;
  /**
   * Runs one cell, with `stdin` to read (default: empty). Code that raises, runs out of time or memory is a result. A cell that was killed
   * (`exitCode` null) has changed nothing: the session is the one before it.
   * @throws SandboxBroken when the session is lost for a reason that is not the code's.
   */
  execute(code: string, signal: AbortSignal, stdin?: string): Promise<ExecutionResult>;
  /** Idempotent; also under cancellation. */
  close(): Promise<void>;
}

/** The box, not the code in it, failed. Retried by Temporal on a fresh sandbox, never a reward. */
export class SandboxBroken extends Error {
  override readonly name = 'SandboxBroken';
}
