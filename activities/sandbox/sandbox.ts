/** @file The sandbox interface: one isolated Python session whose state lasts over the turns of a rollout. Backends: `docker/`, `embedded/`. */
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';

export interface SandboxBackend {
  /** `embedded` or `docker`. */
  readonly name: string;
  /** As asked for: `slim`, `science`, a tag. Undefined where there are none. */
  readonly image?: string;
  /** Resolves when a session can be opened without waiting for a process to start. @throws SandboxBroken when that cannot be. */
  warm(): Promise<void>;
  /** Runs `setup` silently in a fresh session. @throws SandboxBroken when no session can be had. */
  open(options: OpenOptions): Promise<Sandbox>;
  /** Runs one program in a fresh process, from nothing, in a box that holds no session; nothing of it is left afterwards. @throws SandboxBroken. */
  run(options: RunOptions): Promise<ExecutionResult>;
  /** Ends every session and process; idempotent. */
  shutdown(): Promise<void>;
}

export interface OpenOptions {
  /** Owner, for labels and messages: `<workflow id>/r<sibling>`. */
  readonly owner: string;
  readonly setup: string;
  /** Docker: false has cells run in place, cheaper with a large heap; one that is killed costs a replay. Default true. */
  readonly rollback?: boolean | undefined;
  readonly limits: ExecutionLimits;
  readonly signal: AbortSignal;
}

export interface RunOptions {
  readonly owner: string;
  readonly code: string;
  readonly stdin: string;
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

/** Something in the box wrote to the host in the supervisor's name. */
export class SandboxForged extends SandboxBroken {}

/** There is no sandbox here, and trying again does not bring one: the message says what to do. Never retried. */
export class SandboxUnavailable extends Error {
  override readonly name = 'SandboxUnavailable';
}
