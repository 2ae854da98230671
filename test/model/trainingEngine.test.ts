/** @file The training engine as the trainer uses it: through its thread, interrupted, gated, reloaded, split into micro-batches. */
import { afterEach, describe, expect, it } from 'vitest';
import { createTrainingEngine, type LoadableTrainingEngine } from '../../activities/policy/training/engine.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import type { PolicyStepOptions, SupervisedRow } from '../../activities/policy/training/types.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import type { BatchRow } from '../../core/run/batch.ts';
import { bytesOf, copyOf, loss, optimizer, randomRows, tinyConfig } from './trainingRows.ts';

const weights = initialWeights(tinyConfig, 5);
const open: LoadableTrainingEngine[] = [];

async function loadedEngine(): Promise<LoadableTrainingEngine> {
  const engine = createTrainingEngine({ threads: 1 });
  open.push(engine);
  await engine.load(tinyConfig, copyOf(weights), null);
  return engine;
}

afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close();
});

const never = new AbortController().signal;
const options: PolicyStepOptions = {
  loss,
  temperature: 1,
  optimizer,
  passes: 1,
  minibatches: 1,
  microBatchTokens: 4096,
  maxLogprobDifference: 10,
  signal: never,
};

function demonstrations(count: number, seed: number): SupervisedRow[] {
  return randomRows(count, seed).map(({ tokens, sampledMask }) => ({
    tokens,
    lossWeights: Float32Array.from(sampledMask, (sampled, t) => sampled * (1 + (t % 3))),
  }));
}

async function weightsAfter(step: (engine: LoadableTrainingEngine) => Promise<unknown>): Promise<Buffer> {
  const engine = await loadedEngine();
  await step(engine);
  return bytesOf((await engine.state()).weights);
}

function largestDifference(a: Buffer, b: Buffer): number {
  const [x, y] = [new Float32Array(a.buffer, a.byteOffset, a.length / 4), new Float32Array(b.buffer, b.byteOffset, b.length / 4)];
  return x.reduce((max, value, i) => Math.max(max, Math.abs(value - (y[i] as number))), 0);
}

describe('training engine', () => {
  it('gives the same bytes when the same steps are run twice', async () => {
    const steps = async (engine: LoadableTrainingEngine) => {
      await engine.supervisedStep(demonstrations(7, 1), optimizer, never);
      await engine.policyStep(randomRows(9, 2), { ...options, passes: 2, minibatches: 2 });
    };
    const first = await weightsAfter(steps);
    expect(first.equals(bytesOf(weights))).toBe(false);
    expect((await weightsAfter(steps)).equals(first)).toBe(true);
  });

  it('goes on from weights and moments as if it had never stopped', async () => {
    const whole = await loadedEngine();
    for (const seed of [1, 2, 3, 4]) await whole.policyStep(randomRows(5, seed), options);
    const early = await loadedEngine();
    for (const seed of [1, 2]) await early.policyStep(randomRows(5, seed), options);
    const saved = await early.state();
    expect(saved.moments.step).toBe(2);
    const late = await loadedEngine();
    await late.load(tinyConfig, saved.weights, saved.moments);
    for (const seed of [3, 4]) await late.policyStep(randomRows(5, seed), options);
    const [a, b] = [await whole.state(), await late.state()];
    expect(bytesOf(b.weights).equals(bytesOf(a.weights))).toBe(true);
    expect(bytesOf(b.moments.second).equals(bytesOf(a.moments.second))).toBe(true);
  });

  it.each(['tokenMean', 'trajectoryMean'] as const)('%s over many micro-batches is the step over one, up to rounding', async (aggregation) => {
    const step = (microBatchTokens: number) =>
      weightsAfter((engine) => engine.policyStep(randomRows(9, 3), { ...options, loss: { ...loss, aggregation }, microBatchTokens }));
    expect(largestDifference(await step(64), await step(4096))).toBeLessThan(1e-5);
  });

  it('lowers the loss of demonstrations until they are known by heart', async () => {
    const engine = await loadedEngine();
    const rows = demonstrations(4, 6);
    const first = await engine.supervisedStep(rows, optimizer, never);
    let last = first;
    for (let i = 0; i < 60; i++) last = await engine.supervisedStep(rows, optimizer, never);
    expect(first.loss).toBeGreaterThan(2);
    expect(last.loss).toBeLessThan(first.loss / 4);
    expect(first.tokens).toBe(rows.reduce((sum, row) => sum + row.lossWeights.reduce((count, weight) => count + (weight > 0 ? 1 : 0), 0), 0));
  });

  it('raises the probability of tokens with a positive advantage and lowers the others', async () => {
    const engine = await loadedEngine();
    const row = (await onPolicy(engine, randomRows(1, 8)))[0] as BatchRow;
    await engine.policyStep([row], { ...options, maxLogprobDifference: 1e-4 });
    const after = (await onPolicy(engine, [row]))[0] as BatchRow;
    const gained = row.advantages.reduce(
      (sum, advantage, t) => sum + advantage * ((after.behaviorLogprobs[t] as number) - (row.behaviorLogprobs[t] as number)),
      0,
    );
    expect(gained).toBeGreaterThan(0);
  });

  it('closes the gate before any weight changes, with the difference in the error', async () => {
    const engine = await loadedEngine();
    for (const minibatches of [1, 2]) {
      await expect(engine.policyStep(randomRows(4, 9), { ...options, minibatches, maxLogprobDifference: 0.01 })).rejects.toMatchObject({
        name: 'LogprobGateClosed',
        bound: 0.01,
      });
      const { weights: after, moments } = await engine.state();
      expect(bytesOf(after).equals(bytesOf(weights))).toBe(true);
      expect(moments.step).toBe(0);
    }
  });

  it('refuses a gradient that is not finite before any weight changes', async () => {
    const engine = await loadedEngine();
    const [row] = randomRows(1, 11);
    const infinite = { ...(row as BatchRow), advantages: (row as BatchRow).advantages.map(() => Number.POSITIVE_INFINITY) };
    await expect(engine.policyStep([infinite], options)).rejects.toMatchObject({
      name: 'NonFiniteLoss',
      message: expect.stringMatching(/optimiser step 1: expected a finite gradient norm, got NaN; the weights are unchanged/),
    });
    const { weights: after, moments } = await engine.state();
    expect(bytesOf(after).equals(bytesOf(weights))).toBe(true);
    expect(moments.step).toBe(0);
  });

  it('reports zero difference, zero clipping and zero kl for rows of its own policy', async () => {
    const engine = await loadedEngine();
    const metrics = await engine.policyStep(await onPolicy(engine, randomRows(6, 10)), { ...options, maxLogprobDifference: 1e-4 });
    expect(metrics.logprobDifferenceMax).toBeLessThan(1e-5);
    expect(metrics.clipFraction).toBe(0);
    expect(metrics.kl).toBeLessThan(1e-8);
    expect(metrics.entropy).toBeGreaterThan(1);
    expect(metrics.entropy).toBeLessThan(Math.log(tinyConfig.vocabSize));
    expect(metrics.paddedTokens).toBeGreaterThanOrEqual(metrics.sampledTokens);
  });

  it('stops when aborted, with the reason of the signal, and serves the next request', async () => {
    const engine = await loadedEngine();
    const controller = new AbortController();
    const rows = Array.from({ length: 40 }, (_, seed) => randomRows(8, seed)).flat();
    const step = engine.policyStep(rows, { ...options, microBatchTokens: 64, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('the run was cancelled')), 30);
    await expect(step).rejects.toThrow('the run was cancelled');
    const { weights: after } = await engine.state();
    expect(bytesOf(after).equals(bytesOf(weights))).toBe(true);
    await expect(engine.supervisedStep(demonstrations(2, 1), optimizer, never)).resolves.toMatchObject({ tokens: expect.any(Number) });
  });

  it('leaves its caller free while it computes', async () => {
    const engine = await loadedEngine();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    for (let i = 0; i < 5; i++) await engine.supervisedStep(demonstrations(32, i), optimizer, never);
    clearInterval(timer);
    // One between two steps is all that a blocked thread would give; some hundred on an idle machine.
    expect(ticks).toBeGreaterThanOrEqual(10);
  });

  it('measures KL against the reference it was given, and asks for one that is missing', async () => {
    const withKl = { ...options, loss: { ...loss, klCoefficient: 0.5 } };
    const without = await loadedEngine();
    await expect(without.policyStep(randomRows(3, 11), withKl)).rejects.toThrow(/klCoefficient is 0.5, but the engine was loaded without a reference/);
    const engine = await loadedEngine();
    await engine.load(tinyConfig, copyOf(weights), null, copyOf(weights));
    const rows = (await onPolicy(engine, randomRows(3, 11))).map((row) => ({ ...row, advantages: row.advantages.map(() => 0) }));
    expect((await engine.policyStep(rows, withKl)).loss).toBeCloseTo(0, 6);
    await engine.load(tinyConfig, copyOf(weights), null, initialWeights(tinyConfig, 6));
    expect((await engine.policyStep(rows, withKl)).loss).toBeGreaterThan(0.01);
  });

  it('is on-policy at another temperature too: the ratio belongs to the distribution that was sampled from', async () => {
    const engine = await loadedEngine();
    const metrics = await engine.policyStep(await onPolicy(engine, randomRows(3, 12)), { ...options, temperature: 0.5, maxLogprobDifference: 1e-4 });
    expect(metrics.logprobDifferenceMax).toBeLessThan(1e-5);
    expect(metrics.clipFraction).toBe(0);
  });
});

/** The rows as if this very policy had sampled them. */
async function onPolicy(engine: LoadableTrainingEngine, rows: readonly BatchRow[]): Promise<BatchRow[]> {
  const { weights: now } = await engine.state();
  const trainer = new Trainer(tinyConfig, now, null, null, { threads: 1 });
  const sampled = rows.map((row) => ({ ...row, trained: row.sampledMask }));
  const logprobs = await trainer.logprobs(sampled, now, 1, 4096, () => {});
  await trainer.release();
  return rows.map((row, i) => ({ ...row, behaviorLogprobs: logprobs[i] as Float32Array }));
}
