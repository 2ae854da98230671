/** @file Rows of different lengths side by side: padding, other rows and blocks of attention change nothing but rounding. */
import { afterEach, describe, expect, it } from 'vitest';
import type { TrainedRow } from '../../activities/policy/training/feeds.ts';
import { GradientSum } from '../../activities/policy/training/gradientSum.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { attentionBlocks } from '../../core/model/rowLayout.ts';
import { embeddingName } from '../../core/model/tensorNames.ts';
import { randomOf } from '../../core/random.ts';
import { tinyConfig } from './trainingRows.ts';

const config = { ...tinyConfig, maxPositions: 1024 };
const weights = initialWeights(config, 7);
const trainer = new Trainer(config, weights, null, null, { threads: 1 });
afterEach(() => trainer.release());

/** Trained are every third token before `trainedUntil`. */
function row(length: number, seed: number, trainedUntil = length): TrainedRow {
  const random = randomOf(seed);
  return {
    tokens: Int32Array.from({ length }, () => random.integer(0, tinyConfig.vocabSize - 1)),
    trained: Uint8Array.from({ length }, (_, t) => (t > 0 && t < trainedUntil && t % 3 === 0 ? 1 : 0)),
  };
}

const cut = ({ tokens, trained }: TrainedRow, length: number): TrainedRow => ({
  tokens: tokens.slice(0, length),
  trained: Array.from(trained).slice(0, length),
});
const logprobs = (rows: readonly TrainedRow[]) => trainer.logprobs(rows, weights, 1, 1 << 20, () => {});

async function gradients(rows: readonly TrainedRow[]): Promise<ReadonlyMap<string, Float32Array>> {
  const sum = new GradientSum();
  const ones = rows.map(({ tokens }) => new Float32Array(tokens.length).fill(1));
  for (const batch of trainer.plan(rows, 1 << 20)) await trainer.run({ kind: 'supervised' }, rows, batch, { weights: ones }, sum);
  return sum.sums;
}

function expectClose(actual: Float32Array, wanted: Float32Array, label: string, bound = 2e-5): void {
  const scale = wanted.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  expect(scale, label).toBeGreaterThan(0);
  expect(actual.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(Math.abs((actual[i] as number) - value) / scale, `${label}[${i}]`).toBeLessThan(bound);
}

/** A bias on keys moves all scores of a query alike: its gradient is rounding noise. */
const isNoise = (name: string) => name.endsWith('k_proj.bias');

describe('rows side by side', () => {
  const rows = [row(9, 1), row(47, 2), row(4, 3), row(31, 4)];

  it('have the log-probabilities of each row alone, and zeros where nothing is trained', async () => {
    const together = await logprobs(rows);
    for (const [i, alone] of rows.entries()) {
      expectClose(together[i] as Float32Array, (await logprobs([alone]))[0] as Float32Array, `row ${i}`);
      (together[i] as Float32Array).forEach((value, t) => {
        expect(value === 0).toBe(alone.trained[t] === 0);
      });
    }
  });

  it('have the sum of the gradients of each row alone', async () => {
    const together = await gradients(rows);
    const alone = await Promise.all(rows.map((one) => gradients([one])));
    for (const [name, gradient] of together) {
      const sum = gradient.map((_, i) => alone.reduce((total, part) => total + ((part.get(name) as Float32Array)[i] as number), 0));
      if (!isNoise(name)) expectClose(gradient, sum, name);
    }
  });
});

describe('blocks of attention', () => {
  it.each([
    [257, 3],
    [384, 3],
    [511, 4],
  ])('%i tokens in %i blocks see what one block sees', async (length, blocks) => {
    expect([attentionBlocks(length), attentionBlocks(201)]).toEqual([blocks, 1]);
    const long = row(length + 1, length, 200);
    const short = cut(long, 201);
    expectClose(((await logprobs([long]))[0] as Float32Array).subarray(0, 201), (await logprobs([short]))[0] as Float32Array, 'log-probabilities');
    const [whole, part] = [await gradients([long]), await gradients([short])];
    for (const [name, gradient] of part) if (!isNoise(name)) expectClose(whole.get(name) as Float32Array, gradient, name);
    expect(whole.has(embeddingName)).toBe(true);
  });

  it('give the gradients of the same rows cut elsewhere: a long row beside a short one is one grid with it', async () => {
    const rows = [row(300, 5), row(20, 6)];
    const together = await gradients(rows);
    const alone = await Promise.all(rows.map((one) => gradients([one])));
    for (const [name, gradient] of together) {
      const sum = gradient.map((_, i) => alone.reduce((total, part) => total + ((part.get(name) as Float32Array)[i] as number), 0));
      if (!isNoise(name)) expectClose(gradient, sum, name);
    }
  });
});

describe('rows that share a prefix', () => {
  const siblings = (prefix: number, own: readonly number[], seed: number): TrainedRow[] => {
    const { tokens } = row(prefix, seed);
    return own.map((length, sibling) => {
      const ending = row(length, 100 * seed + sibling);
      return {
        tokens: Int32Array.from([...tokens, ...ending.tokens]),
        trained: Uint8Array.from({ length: prefix + length }, (_, t) => (t >= prefix && (t - prefix) % 3 === 0 ? 1 : 0)),
      };
    });
  };
  const rows = [...siblings(40, [9, 17, 5], 3), row(23, 9), ...siblings(270, [12, 40, 33, 8], 4), ...siblings(31, [6, 6], 5)];

  it('compute it once', () => {
    const plan = trainer.plan(rows, 1 << 20);
    expect(plan.flatMap(({ shared }) => shared?.groups ?? [])).toEqual([
      { rows: [0, 1, 2], length: 39 },
      { rows: [4, 5, 6, 7], length: 269 },
      { rows: [8, 9], length: 30 },
    ]);
    expect(plan.flatMap((batch) => batch.rows).toSorted((a, b) => a - b)).toEqual(rows.map((_, i) => i));
  });

  it('have the log-probabilities of each row alone', async () => {
    const together = await logprobs(rows);
    for (const [i, alone] of rows.entries()) expectClose(together[i] as Float32Array, (await logprobs([alone]))[0] as Float32Array, `row ${i}`);
  });

  it('have the sum of the gradients of each row alone', async () => {
    const together = await gradients(rows);
    const alone = await Promise.all(rows.map((one) => gradients([one])));
    for (const [name, gradient] of together) {
      const sum = gradient.map((_, i) => alone.reduce((total, part) => total + ((part.get(name) as Float32Array)[i] as number), 0));
      if (!isNoise(name)) expectClose(gradient, sum, name, 1e-5);
    }
  });
});
