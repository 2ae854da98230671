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
  /** How many of them began with a setup. */
  readonly setups: Map<string, number>;
  readonly waiting: Waiting[];
  busy: boolean;
  /** The session that was asked last, whose memory needs no exchange, and how often in a row. */
  last: { readonly sandbox: string; readonly times: number } | undefined;
}

interface Waiting {
  readonly sandbox: string;
  readonly begin: () => Promise<void>;
}

/** Requests that one session may make before those that others have waiting: a replay goes through, a neighbour does not starve. */
const longestRow = 16;

/** Most sessions that a process may have more than another for the sake of siblings. */
const imbalance = 8;

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

  /** A place beside sessions of the same setup, which share what they do alike, or in the process with the fewest sessions. */
  async lease(setup: string, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#places.size === 0 && !this.#closed) {
      // Someone asks again after the pool gave up: try again, once.
      this.#failedStarts = startAttempts - 1;
      this.#fill();
    }
    const place = this.#placeFor(setup);
    if (place === undefined) throw this.#failure();
    countIn(place, setup, 1);
    let released = false;
    return {
      get alive() {
        return place.process.alive;
      },
      ask: (question, wallMs, askSignal) => inTurn(place, question, wallMs, askSignal),
      release: () => {
        if (!released) countIn(place, setup, -1);
        released = true;
      },
    };
  }

  #placeFor(setup: string): Place | undefined {
    const byLoad = [...this.#places].sort((a, b) => a.sessions - b.sessions);
    const [least] = byLoad;
    return byLoad.find((place) => place.setups.has(setup) && place.sessions - (least as Place).sessions < imbalance) ?? least;
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
      setups: new Map(),
      waiting: [],
      busy: false,
      last: undefined,
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

function countIn(place: Place, setup: string, change: 1 | -1): void {
  place.sessions += change;
  const count = (place.setups.get(setup) ?? 0) + change;
  if (count === 0) place.setups.delete(setup);
  else place.setups.set(setup, count);
}

/** The wall clock of a cell starts when its process turns to it, not while it waits. */
function inTurn(place: Place, question: Question, wallMs: number, signal?: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const entry: Waiting = {
      sandbox: question.sandbox,
      begin: () => {
        signal?.removeEventListener('abort', cancel);
        return place.process.ask(question, wallMs, signal).then(resolve, reject);
      },
    };
    // Who is cancelled while others run does not wait for them.
    const cancel = () => {
      place.waiting.splice(place.waiting.indexOf(entry), 1);
      resolve({ killed: 'cancelled' });
    };
    if (signal?.aborted === true) return resolve({ killed: 'cancelled' });
    signal?.addEventListener('abort', cancel, { once: true });
    place.waiting.push(entry);
    if (!place.busy) advance(place);
  });
}

/** First come, first served; but first the session that is in memory. */
function advance(place: Place): void {
  const { waiting, last } = place;
  const same = last === undefined || last.times >= longestRow ? -1 : waiting.findIndex(({ sandbox }) => sandbox === last.sandbox);
  const [next] = waiting.splice(Math.max(same, 0), 1);
  place.busy = next !== undefined;
  if (next === undefined) return;
  place.last = { sandbox: next.sandbox, times: next.sandbox === last?.sandbox ? last.times + 1 : 1 };
  // A turn of the event loop later, when the session that was just answered may have asked again.
  void next.begin().then(() => setImmediate(() => advance(place)));
}
