/**
 * @file The boxes of one worker: made ahead and on demand, lent first come, first served, cleaned on return, and replaced when they are dirty, old or dead.
 * What may exist at a time follows from memory alone: the limits of all boxes together stay within a budget.
 */
import { SandboxBroken } from '../sandbox.ts';

/** What the pool must know of a box. */
export interface PooledBox {
  readonly memoryBytes: number;
  readonly createdAt: number;
  readonly alive: boolean;
  /** False when its last use left nothing that only a reset would find. */
  readonly needsReset: boolean;
  /** Ends what runs in it and empties it; false when it is not as it was made. */
  reset(): Promise<boolean>;
  /** Idempotent. */
  destroy(): Promise<void>;
}

export interface PoolOptions<Box extends PooledBox> {
  /** `onEnd` is called once, when the box is gone for whatever reason. */
  readonly create: (memoryBytes: number, onEnd: () => void) => Promise<Box>;
  readonly memoryBudgetBytes: number;
  /** Most that may wait; more are refused at once. */
  readonly maxWaiting: number;
  /** `never`: every lease gets a box that ran nothing before. */
  readonly reuse: 'afterReset' | 'never';
  readonly maxUses: number;
  readonly maxAgeMs: number;
  /** A box above `spare` that nobody asked for within this is ended. */
  readonly idleMs: number;
  /** Boxes that are kept ready. */
  readonly spare: { readonly count: number; readonly memoryBytes: number };
}

export interface Lease<Box extends PooledBox> {
  readonly box: Box;
  readonly queueMs: number;
  /** Idempotent; resolves when nothing of this use is left in the box, or the box is gone. */
  release(): Promise<void>;
}

/** Boxes that are made at a time: the daemon gets no faster with more. */
const makingAtATime = 4;

const sweepEveryMs = 10_000;

interface Waiter<Box extends PooledBox> {
  readonly memoryBytes: number;
  readonly since: number;
  readonly resolve: (lease: Lease<Box>) => void;
  readonly reject: (error: unknown) => void;
}

interface Place<Box extends PooledBox> {
  readonly box: Box;
  uses: number;
  idleSince: number;
}

export class BoxPool<Box extends PooledBox> {
  readonly #options: PoolOptions<Box>;
  /** Newest last: the box that was used last is taken first. */
  readonly #idle: Place<Box>[] = [];
  readonly #waiting: Waiter<Box>[] = [];
  readonly #making: number[] = [];
  readonly #places = new Set<Place<Box>>();
  readonly #ending = new Set<Promise<void>>();
  readonly #sweeper: NodeJS.Timeout;
  #reservedBytes = 0;
  #closed = false;

  constructor(options: PoolOptions<Box>) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.sweep(), sweepEveryMs);
    this.#sweeper.unref();
  }

  /** Boxes that exist, and leases that wait for one. */
  get size(): number {
    return this.#places.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when the first box is ready; those of `spare` follow. @throws what creating a box throws. */
  async warm(): Promise<void> {
    const lease = await this.acquire(this.#options.spare.memoryBytes, new AbortController().signal);
    await lease.release();
    this.#refill();
  }

  async acquire(memoryBytes: number, signal: AbortSignal): Promise<Lease<Box>> {
    signal.throwIfAborted();
    this.#expectOpen();
    const { memoryBudgetBytes, maxWaiting } = this.#options;
    if (memoryBytes > memoryBudgetBytes) {
      throw new SandboxBroken(`sandbox pool: expected a box of at most ${inMebibytes(memoryBudgetBytes)}, the run asks for ${inMebibytes(memoryBytes)} each`);
    }
    if (this.#waiting.length >= maxWaiting) {
      throw new SandboxBroken(
        `sandbox pool: expected at most ${maxWaiting} to wait for a box, ${this.#waiting.length} do; another worker or a later attempt has to take it`,
      );
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter<Box> = { memoryBytes, since: performance.now(), resolve, reject };
      const cancel = () => {
        const position = this.#waiting.indexOf(waiter);
        if (position < 0) return;
        this.#waiting.splice(position, 1);
        reject(signal.reason);
        this.#serve();
      };
      signal.addEventListener('abort', cancel, { once: true });
      this.#waiting.push(waiter);
      this.#serve();
    });
  }

  /** Ends boxes that have been idle for too long or live for too long; called by a timer. */
  sweep(now = Date.now()): void {
    const { idleMs, maxAgeMs, spare } = this.#options;
    for (const place of [...this.#idle]) {
      const tooMany = this.#idle.length > spare.count && now - place.idleSince > idleMs;
      if (tooMany || now - place.box.createdAt > maxAgeMs) this.#end(place);
    }
    this.#refill();
  }

  /** Ends every box; idempotent. */
  async shutdown(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#sweeper);
    for (const { reject } of this.#waiting.splice(0)) reject(new SandboxBroken('sandbox pool: it was shut down'));
    for (const place of [...this.#places]) this.#end(place);
    while (this.#ending.size > 0) await Promise.all([...this.#ending]);
  }

  /** Serves those who wait in their order; whoever cannot be served yet holds up those behind, so that big boxes are not starved by small ones. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const waiter = this.#waiting[0] as Waiter<Box>;
      const place = this.#takeIdle(waiter.memoryBytes);
      if (place === undefined) break;
      this.#waiting.shift();
      waiter.resolve(this.#lend(place, waiter));
    }
    const promised = [...this.#making];
    for (const { memoryBytes } of this.#waiting) {
      const position = promised.indexOf(memoryBytes);
      if (position >= 0) promised.splice(position, 1);
      else if (!this.#make(memoryBytes)) break;
    }
  }

  #takeIdle(memoryBytes: number): Place<Box> | undefined {
    const position = this.#idle.findLastIndex(({ box }) => box.memoryBytes === memoryBytes);
    return position < 0 ? undefined : this.#idle.splice(position, 1)[0];
  }

  #lend(place: Place<Box>, { since }: Waiter<Box>): Lease<Box> {
    place.uses += 1;
    let released: Promise<void> | undefined;
    this.#refill();
    return {
      box: place.box,
      queueMs: Math.round((performance.now() - since) * 10) / 10,
      release: () => {
        released ??= this.#takeBack(place);
        return released;
      },
    };
  }

  async #takeBack(place: Place<Box>): Promise<void> {
    if (!this.#places.has(place)) return;
    // One that needs none is back before its user goes on: else the next one to ask would have another made.
    const isReusable = this.#isReusable(place) && (!place.box.needsReset || (await place.box.reset().catch(() => false)));
    if (!isReusable || this.#closed || !place.box.alive) return this.#end(place);
    place.idleSince = Date.now();
    this.#idle.push(place);
    this.#serve();
  }

  #isReusable({ box, uses }: Place<Box>): boolean {
    const { reuse, maxUses, maxAgeMs } = this.#options;
    return !this.#closed && box.alive && reuse === 'afterReset' && uses < maxUses && Date.now() - box.createdAt < maxAgeMs;
  }

  /** False when it has to wait: for memory, or because enough are being made. */
  #make(memoryBytes: number): boolean {
    if (this.#closed || this.#making.length >= makingAtATime) return false;
    if (this.#reservedBytes + memoryBytes > this.#options.memoryBudgetBytes) {
      // Boxes of another size that nobody uses make room; this is asked again when they are gone.
      const unused = this.#idle.find(({ box }) => box.memoryBytes !== memoryBytes);
      if (unused !== undefined) this.#end(unused);
      return false;
    }
    this.#reservedBytes += memoryBytes;
    this.#making.push(memoryBytes);
    void this.#made(memoryBytes);
    return true;
  }

  async #made(memoryBytes: number): Promise<void> {
    let place: Place<Box> | undefined;
    let failure: unknown;
    try {
      const box = await this.#options.create(memoryBytes, () => place !== undefined && this.#end(place));
      place = { box, uses: 0, idleSince: Date.now() };
      this.#places.add(place);
    } catch (error) {
      failure = error;
    }
    this.#making.splice(this.#making.indexOf(memoryBytes), 1);
    if (place === undefined) {
      this.#reservedBytes -= memoryBytes;
      const position = this.#waiting.findIndex((waiter) => waiter.memoryBytes === memoryBytes);
      if (position >= 0) this.#waiting.splice(position, 1)[0]?.reject(failure);
    } else if (this.#closed || !place.box.alive) {
      return this.#end(place);
    } else {
      this.#idle.push(place);
      this.#refill();
    }
    this.#serve();
  }

  /** Takes the box out; its memory counts until it is gone. */
  #end(place: Place<Box>): void {
    if (!this.#places.delete(place)) return;
    const position = this.#idle.indexOf(place);
    if (position >= 0) this.#idle.splice(position, 1);
    const ended = place.box
      .destroy()
      .catch(() => undefined) // the box's own switch and the reaper are behind it
      .then(() => {
        this.#reservedBytes -= place.box.memoryBytes;
        this.#ending.delete(ended);
        // A box that died before anybody used it is replaced at the next sweep: at once would be a loop where none can live.
        if (place.uses > 0) this.#refill();
        this.#serve();
      });
    this.#ending.add(ended);
  }

  /** Only while nobody waits: those come first. */
  #refill(): void {
    const { spare } = this.#options;
    if (this.#closed || this.#waiting.length > 0) return;
    const ready = this.#idle.filter(({ box }) => box.memoryBytes === spare.memoryBytes).length + this.#making.length;
    for (let missing = spare.count - ready; missing > 0; missing -= 1) {
      if (this.#reservedBytes + spare.memoryBytes > this.#options.memoryBudgetBytes || !this.#make(spare.memoryBytes)) return;
    }
  }

  #expectOpen(): void {
    if (this.#closed) throw new SandboxBroken('sandbox pool: it was shut down');
  }
}

function inMebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
