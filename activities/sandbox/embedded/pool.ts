/** @file A fixed number of interpreter processes, each holding many sessions and running one cell at a time. A process that ends is replaced at once. */
import { SandboxBroken } from '../sandbox.ts';
import { InterpreterProcess, type Question, type Reply } from './process.ts';

/** A session's place in one process. */
export interface Lease {
  readonly alive: boolean;
  ask(question: Question, wallMs: number, signal?: AbortSignal): Promise<Reply>;
  /** Idempotent. */
  release(): void;
}

interface Place {
  readonly process: InterpreterProcess;
  sessions: number;
  /** Ends of the requests waiting for the process, first come first served. */
  queue: Promise<unknown>;
}

/** Processes that end before they were ready, one after another, before the pool stops replacing them: something is wrong with the installation. */
const startAttempts = 3;

export class ProcessPool {
  readonly #places = new Set<Place>();
  readonly #size: number;
  #failedStarts = 0;
  #lastFailure: Error | undefined;
  #closed = false;

  constructor(size: number) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`embedded sandbox: expected at least one process, got ${size}`);
    this.#size = size;
    this.#fill();
  }

  get pids(): readonly number[] {
    return [...this.#places].flatMap(({ process }) => process.pid ?? []);
  }

  async warm(): Promise<void> {
    this.#fill();
    await Promise.any([...this.#places].map(({ process }) => process.ready)).catch(() => {
      throw this.#failure();
    });
  }

  /** A place in the process with the fewest sessions. */
  async lease(signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#places.size === 0 && !this.#closed) {
      // Someone asks again after the pool gave up: try again, once.
      this.#failedStarts = startAttempts - 1;
      this.#fill();
    }
    const place = [...this.#places].sort((a, b) => a.sessions - b.sessions)[0];
    if (place === undefined) throw this.#failure();
    place.sessions += 1;
    let released = false;
    return {
      get alive() {
        return place.process.alive;
      },
      ask: (question, wallMs, askSignal) => inTurn(place, question, wallMs, askSignal),
      release: () => {
        if (!released) place.sessions -= 1;
        released = true;
      },
    };
  }

  shutdown(): void {
    this.#closed = true;
    for (const { process } of this.#places) process.kill('the pool was shut down');
  }

  #fill(): void {
    while (!this.#closed && this.#places.size < this.#size && this.#failedStarts < startAttempts) this.#start();
  }

  #start(): void {
    let wasReady = false;
    const place: Place = {
      process: new InterpreterProcess(() => {
        this.#places.delete(place);
        if (!wasReady) this.#failedStarts += 1;
        this.#fill();
      }),
      sessions: 0,
      queue: Promise.resolve(),
    };
    this.#places.add(place);
    place.process.ready.then(
      () => {
        wasReady = true;
        this.#failedStarts = 0;
      },
      (error: Error) => {
        this.#lastFailure = error;
      },
    );
  }

  #failure(): SandboxBroken {
    const reason = this.#closed ? 'the pool was shut down' : (this.#lastFailure?.message ?? 'none started');
    return new SandboxBroken(`embedded sandbox: expected an interpreter process, got none: ${reason}`);
  }
}

/** The wall clock of a cell starts when its process turns to it, not while it waits. */
function inTurn(place: Place, question: Question, wallMs: number, signal?: AbortSignal): Promise<Reply> {
  let begun = false;
  const turn = place.queue.then(() => {
    begun = true;
    return place.process.ask(question, wallMs, signal);
  });
  place.queue = turn.catch(() => undefined);
  if (signal === undefined) return turn;
  return new Promise((resolve, reject) => {
    // Who is cancelled while others run does not wait for them.
    const cancel = () => {
      if (!begun) resolve({ killed: 'cancelled' });
    };
    signal.addEventListener('abort', cancel, { once: true });
    turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
  });
}
