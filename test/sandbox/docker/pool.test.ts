/** @file The pool's promises, on boxes that are made and ended by the test: how many may exist, who is served when, and what happens to a box that is dirty, old or dead. */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BoxPool, type Lease, type PooledBox, type PoolOptions } from '../../../activities/sandbox/docker/pool.ts';

const never = new AbortController().signal;
const unit = 1;

class PaperBox implements PooledBox {
  readonly createdAt: number;
  readonly memoryBytes: number;
  readonly number: number;
  readonly #onEnd: () => void;
  alive = true;
  isDirty = false;
  needsReset = true;
  resets = 0;

  constructor(number: number, memoryBytes: number, onEnd: () => void, createdAt = Date.now()) {
    this.number = number;
    this.memoryBytes = memoryBytes;
    this.createdAt = createdAt;
    this.#onEnd = onEnd;
  }

  async reset(): Promise<boolean> {
    await Promise.resolve();
    this.resets += 1;
    return !this.isDirty;
  }

  async destroy(): Promise<void> {
    await Promise.resolve();
    this.alive = false;
  }

  die(): void {
    this.alive = false;
    this.#onEnd();
  }
}

/** A pool and every box that it ever made. */
function poolOf(changed: Partial<PoolOptions<PaperBox>> = {}) {
  const made: PaperBox[] = [];
  const pool = new BoxPool<PaperBox>({
    create: async (memoryBytes, onEnd) => {
      await Promise.resolve();
      const box = new PaperBox(made.length, memoryBytes, onEnd);
      made.push(box);
      return box;
    },
    memoryBudgetBytes: 4,
    maxWaiting: 100,
    reuse: 'afterReset',
    maxUses: 1000,
    maxAgeMs: 60_000,
    idleMs: 1000,
    spare: { count: 0, memoryBytes: unit },
    ...changed,
  });
  pools.push(pool);
  return { pool, made, living: () => made.filter(({ alive }) => alive) };
}

const pools: BoxPool<PaperBox>[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.shutdown()));
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what may exist', () => {
  test('is bounded by the sum of memory limits, whoever asks for what in whichever order', async () => {
    const steps = fc.array(fc.oneof(fc.record({ ask: fc.constantFrom(1, 2, 3) }), fc.record({ giveBack: fc.nat(20) }), fc.record({ kill: fc.nat(20) })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const { pool, living } = poolOf({ memoryBudgetBytes: 5 });
        const held: Lease<PaperBox>[] = [];
        const asked: Promise<unknown>[] = [];
        const expectWithinBudget = () => expect(living().reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)).toBeLessThanOrEqual(5);
        for (const step of taken) {
          if ('ask' in step) asked.push(pool.acquire(step.ask, never).then((lease) => held.push(lease)));
          else if ('giveBack' in step) await held.splice(step.giveBack % (held.length || 1), 1)[0]?.release();
          else living()[step.kill % (living().length || 1)]?.die();
          await settled();
          expectWithinBudget();
        }
        // Everybody who asked is served once those before have given back.
        for (let rounds = 0; pool.waiting > 0 || held.length > 0; rounds += 1) {
          expect(rounds).toBeLessThan(1000);
          await Promise.all(held.splice(0).map((lease) => lease.release()));
          await settled();
          expectWithinBudget();
        }
        await Promise.all(asked);
        await pool.shutdown();
        expect(living()).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('one box serves many, one after another', async () => {
    const { pool, made } = poolOf();
    for (let use = 0; use < 10; use += 1) await (await pool.acquire(unit, never)).release();
    expect(made).toHaveLength(1);
    expect(made[0]?.resets).toBe(10);
  });

  test('a box that needs no reset is there for the next user at once, so that no other is made', async () => {
    const { pool, made } = poolOf();
    const first = await pool.acquire(unit, never);
    first.box.needsReset = false;
    void first.release();
    const second = await pool.acquire(unit, never);
    expect([second.box, made.length, first.box.resets]).toEqual([first.box, 1, 0]);
    await second.release();
  });

  test('boxes of a size that nobody asks for make room', async () => {
    const { pool, living } = poolOf({ memoryBudgetBytes: 2 });
    await Promise.all((await Promise.all([pool.acquire(1, never), pool.acquire(1, never)])).map((lease) => lease.release()));
    const big = await pool.acquire(2, never);
    expect(living().map(({ memoryBytes }) => memoryBytes)).toEqual([2]);
    await big.release();
  });

  test('a box that can never fit is refused at once, with both sizes', async () => {
    const { pool } = poolOf({ memoryBudgetBytes: 64 * 2 ** 20 });
    await expect(pool.acquire(512 * 2 ** 20, never)).rejects.toMatchObject({
      name: 'SandboxBroken',
      message: expect.stringMatching(/at most 64 MiB.*512 MiB/),
    });
  });
});

describe('who is served', () => {
  test('first come, first served, and the wait is told', async () => {
    const { pool } = poolOf({ memoryBudgetBytes: 1 });
    const first = await pool.acquire(unit, never);
    const order: number[] = [];
    const asked = [1, 2, 3].map(async (name) => {
      const lease = await pool.acquire(unit, never);
      order.push(name);
      await lease.release();
      return lease.queueMs;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(order).toEqual([]);
    await first.release();
    for (const queueMs of await Promise.all(asked)) expect(queueMs).toBeGreaterThanOrEqual(15);
    expect(order).toEqual([1, 2, 3]);
  });

  test('more than may wait are refused', async () => {
    const { pool } = poolOf({ memoryBudgetBytes: 1, maxWaiting: 1 });
    const first = await pool.acquire(unit, never);
    const second = pool.acquire(unit, never);
    await expect(pool.acquire(unit, never)).rejects.toMatchObject({ name: 'SandboxBroken', message: expect.stringContaining('at most 1 to wait') });
    await first.release();
    await (await second).release();
  });

  test('who is cancelled leaves the queue and holds up nobody', async () => {
    const { pool } = poolOf({ memoryBudgetBytes: 1 });
    const first = await pool.acquire(unit, never);
    const cancelled = pool.acquire(unit, AbortSignal.timeout(10));
    const third = pool.acquire(unit, never);
    await expect(cancelled).rejects.toMatchObject({ name: 'TimeoutError' });
    await first.release();
    await (await third).release();
  });

  test('who waits for a box that cannot be made is told why', async () => {
    const { pool } = poolOf({ create: () => Promise.reject(new Error('no daemon')) });
    await expect(pool.acquire(unit, never)).rejects.toThrow('no daemon');
    await expect(pool.warm()).rejects.toThrow('no daemon');
  });
});

describe('a box', () => {
  test('that is dirty after its reset is ended and replaced', async () => {
    const { pool, made } = poolOf();
    const lease = await pool.acquire(unit, never);
    lease.box.isDirty = true;
    await lease.release();
    const next = await pool.acquire(unit, never);
    expect(next.box).not.toBe(lease.box);
    expect(made[0]?.alive).toBe(false);
  });

  test('that died while it was lent is never lent again, and giving it back twice does nothing', async () => {
    const { pool } = poolOf();
    const lease = await pool.acquire(unit, never);
    lease.box.die();
    await Promise.all([lease.release(), lease.release()]);
    expect((await pool.acquire(unit, never)).box).not.toBe(lease.box);
  });

  test('is used once where reuse is never, and at most so often elsewhere', async () => {
    const once = poolOf({ reuse: 'never' });
    const thrice = poolOf({ maxUses: 3 });
    for (let use = 0; use < 6; use += 1) {
      for (const { pool } of [once, thrice]) await (await pool.acquire(unit, never)).release();
    }
    await vi.waitUntil(() => once.living().length === 0);
    expect([once.made.length, thrice.made.length]).toEqual([6, 2]);
    expect(once.made.every(({ resets }) => resets === 0)).toBe(true);
  });

  test('that nobody uses is ended after a while, the spare ones are kept', async () => {
    const { pool, living } = poolOf({ spare: { count: 1, memoryBytes: unit } });
    await Promise.all((await Promise.all([1, 1, 1].map((size) => pool.acquire(size, never)))).map((lease) => lease.release()));
    await vi.waitUntil(() => pool.idle === 4); // three that came back, and the one that was kept ready meanwhile
    pool.sweep(Date.now() + 2000);
    await settled();
    expect(living()).toHaveLength(1);
  });

  test('that is too old is replaced, spare or not', async () => {
    const { pool, made } = poolOf({ spare: { count: 2, memoryBytes: unit } });
    await pool.warm();
    await vi.waitUntil(() => pool.idle === 3);
    pool.sweep(Date.now() + 61_000);
    await vi.waitUntil(() => pool.idle === 2);
    expect(made.map(({ alive }) => alive)).toEqual([false, false, false, true, true]);
  });
});

test('shutting down ends every box, those in use included, and refuses whoever waits and whoever comes', async () => {
  const { pool, made } = poolOf({ memoryBudgetBytes: 1 });
  await pool.acquire(unit, never);
  const waiting = pool.acquire(unit, never);
  const refused = expect(waiting).rejects.toMatchObject({ name: 'SandboxBroken' });
  await Promise.all([pool.shutdown(), pool.shutdown()]);
  await refused;
  expect(made.every(({ alive }) => !alive)).toBe(true);
  await expect(pool.acquire(unit, never)).rejects.toMatchObject({ name: 'SandboxBroken' });
});
