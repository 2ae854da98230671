/** @file The sandboxes that this worker holds: found by id or by owner, one activity at a time on each, closed when nobody asks for them any more. */
import type { ExecuteResult } from '../../core/rollout/types.ts';
import type { Sandbox } from './sandbox.ts';

export interface HeldSandbox {
  readonly sandbox: Sandbox;
  /** Cells that changed the session, replayed ones included. */
  committedCells: number;
  /** What the last turn answered. A retry of that turn gets it again instead of running the cell twice. */
  last?: { readonly turn: number; readonly code: string; readonly result: ExecuteResult };
}

interface Entry {
  held: HeldSandbox | undefined;
  lastAskedAt: number;
  users: number;
  queue: Promise<unknown>;
}

export interface TableOptions {
  /** An owner silent for longer than this has lost its sandboxes. */
  readonly leaseMs: number;
  /** Most sandboxes at a time. */
  readonly capacity: number;
  /** Most owners that may wait for one; more are refused at once. */
  readonly maxWaiting: number;
}

/** Too many wait already: another worker, or a later attempt, has to take it. */
export class SandboxTableFull extends Error {
  override readonly name = 'SandboxTableFull';
}

export class SandboxTable {
  readonly #options: TableOptions;
  /** By owner. */
  readonly #entries = new Map<string, Entry>();
  readonly #owners = new Map<string, string>();
  readonly #waiting: { readonly admit: () => void }[] = [];
  #taken = 0;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: TableOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => void this.sweep(), Math.max(10, options.leaseMs / 10));
    this.#sweeper.unref();
  }

  /** Sandboxes held now. */
  get size(): number {
    return this.#owners.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `act` alone on the owner's sandbox. Attempts of the same turn that overlap come one after the other. */
  async use<Result>(owner: string, act: (place: SandboxPlace) => Promise<Result>): Promise<Result> {
    const entry = this.#entries.get(owner) ?? { held: undefined, lastAskedAt: 0, users: 0, queue: Promise.resolve() };
    this.#entries.set(owner, entry);
    entry.users += 1;
    const turn = entry.queue.then(() => act(this.#place(owner, entry)));
    entry.queue = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      entry.users -= 1;
      entry.lastAskedAt = Date.now();
      if (entry.users === 0 && entry.held === undefined) this.#entries.delete(owner);
    }
  }

  /** Idempotent; waits for the cell that runs. */
  async close(id: string): Promise<void> {
    const owner = this.#owners.get(id);
    if (owner !== undefined) await this.use(owner, (place) => place.drop());
  }

  async closeAll(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#owners.keys()].map((id) => this.close(id)));
  }

  /** Closes what nobody has asked for within the lease. */
  async sweep(now = Date.now()): Promise<void> {
    const silent = [...this.#entries].filter(([, entry]) => entry.users === 0 && now - entry.lastAskedAt > this.#options.leaseMs);
    await Promise.all(silent.map(([owner]) => this.use(owner, (place) => place.drop())));
  }

  #place(owner: string, entry: Entry): SandboxPlace {
    return {
      get held() {
        return entry.held;
      },
      open: async (start, signal, onWait) => {
        await this.#admit(signal, onWait);
        try {
          entry.held = { sandbox: await start(), committedCells: 0 };
        } catch (error) {
          this.#release();
          throw error;
        }
        this.#owners.set(entry.held.sandbox.id, owner);
        return entry.held;
      },
      drop: async () => {
        const held = entry.held;
        entry.held = undefined;
        if (held === undefined) return;
        this.#owners.delete(held.sandbox.id);
        try {
          await held.sandbox.close();
        } finally {
          this.#release();
        }
      },
    };
  }

  /** First come, first served. */
  async #admit(signal: AbortSignal, onWait: (ahead: number) => void): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < this.#options.capacity) {
      this.#taken += 1;
      return;
    }
    if (this.#waiting.length >= this.#options.maxWaiting) {
      throw new SandboxTableFull(
        `sandbox worker: ${this.#taken} sandboxes are open and ${this.#waiting.length} rollouts wait, expected at most ${this.#options.maxWaiting} to wait`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const ticket = { admit: resolve };
      this.#waiting.push(ticket);
      onWait(this.#waiting.length);
      signal.addEventListener(
        'abort',
        () => {
          const position = this.#waiting.indexOf(ticket);
          if (position >= 0) this.#waiting.splice(position, 1);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next.admit();
  }
}

/** An owner's place in the table, for as long as its turn lasts. */
export interface SandboxPlace {
  readonly held: HeldSandbox | undefined;
  open(start: () => Promise<Sandbox>, signal: AbortSignal, onWait: (ahead: number) => void): Promise<HeldSandbox>;
  drop(): Promise<void>;
}
