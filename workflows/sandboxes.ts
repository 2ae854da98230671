/** @file The sandboxes of a workflow's rollouts: where each one lives, what happens when it is lost, and how they are given back. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { ExecuteInput, ExecuteResult, SandboxRef, Text } from '../core/rollout/types.ts';
import { anySandbox, sandboxAt } from './activities.ts';
import { isQueueDead } from './failures.ts';

/** One cell to run; the sandbox and the committed cells are this file's business. */
export type Cell = Omit<ExecuteInput, 'sandbox' | 'committedCells'>;

/** The sandbox of one rollout. It opens with the first cell, so a rollout that never runs code never holds one. */
export class RolloutSandbox {
  readonly #returns: SandboxReturns;
  readonly #committedCells: Text[] = [];
  #ref: SandboxRef | undefined;

  constructor(returns: SandboxReturns) {
    this.#returns = returns;
  }

  async execute(cell: Cell, summary: string): Promise<ExecuteResult> {
    const result = (await this.#whereItLives(cell, summary)) ?? (await this.#somewhere(cell, summary));
    this.#ref = result.sandbox;
    if (result.committed) this.#committedCells.push(cell.code);
    return result;
  }

  /** The rollout is over; does not wait. */
  giveBack(): void {
    if (this.#ref !== undefined) this.#returns.add(this.#ref);
    this.#ref = undefined;
  }

  /** Undefined when there is no sandbox yet, or when it is lost. */
  async #whereItLives(cell: Cell, summary: string): Promise<ExecuteResult | undefined> {
    if (this.#ref === undefined) return undefined;
    const input = { ...cell, sandbox: this.#ref, committedCells: this.#committedCells };
    try {
      return await sandboxAt(this.#ref.taskQueue).execute.executeWithOptions({ summary }, [input]);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // A worker that is gone took its sandboxes with it; one that still answers is told to close what it may hold.
      if (isQueueDead(error)) this.#ref = undefined;
      else this.giveBack();
      return undefined;
    }
  }

  async #somewhere(cell: Cell, summary: string): Promise<ExecuteResult> {
    const lost = this.#committedCells.length > 0;
    const result = await anySandbox.execute.executeWithOptions({ summary }, [{ ...cell, committedCells: this.#committedCells }]);
    return lost ? { ...result, replayed: true } : result;
  }
}

/**
 * Gives sandboxes back while the other rollouts go on: those that ended together share one activity, and none waits for the slowest
 * sibling, because a sandbox worker with few places would then never have one for it.
 */
export class SandboxReturns {
  #waiting: SandboxRef[] = [];
  #closing: Promise<void> | undefined;

  add(sandbox: SandboxRef): void {
    this.#waiting.push(sandbox);
    this.#closing ??= CancellationScope.nonCancellable(() => this.#closeWaiting());
  }

  /** Every sandbox that was given back is closed, or its worker is gone. */
  async settled(): Promise<void> {
    await this.#closing;
  }

  async #closeWaiting(): Promise<void> {
    // Rollouts that end in the same workflow task are all added before the first close goes out.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const sandboxes = this.#waiting;
      this.#waiting = [];
      await Promise.all([...byQueue(sandboxes)].map(([taskQueue, held]) => close(taskQueue, held)));
    }
    this.#closing = undefined;
  }
}

async function close(taskQueue: string, sandboxes: readonly SandboxRef[]): Promise<void> {
  const summary = `close ${sandboxes.length} sandbox${sandboxes.length === 1 ? '' : 'es'}`;
  try {
    await sandboxAt(taskQueue).closeSandboxes.executeWithOptions({ summary }, [{ sandboxes }]);
  } catch {
    // The worker is gone, and its sandboxes end with it; nothing is left that a workflow could close.
  }
}

function byQueue(sandboxes: readonly SandboxRef[]): Map<string, SandboxRef[]> {
  const queues = new Map<string, SandboxRef[]>();
  for (const sandbox of sandboxes) queues.set(sandbox.taskQueue, [...(queues.get(sandbox.taskQueue) ?? []), sandbox]);
  return queues;
}
