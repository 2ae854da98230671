/** @file The sampler: properties over random logits, and its distribution. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expOfNonPositive } from '../../core/model/exponential.ts';
import { Sampler } from '../../core/model/sampling.ts';
import { randomOf } from '../../core/random.ts';

// In eighths: logits that differ have weights that differ, and ties are common.
const logits = fc.array(fc.integer({ min: -160, max: 160 }), { minLength: 1, maxLength: 40 }).map((values) => Float32Array.from(values, (value) => value / 8));
const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const sampler = new Sampler(64);

function softmax(values: Float32Array, temperature = 1): number[] {
  const top = Math.max(...values);
  const weights = [...values].map((value) => Math.exp((value - top) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Indices by weight, the heaviest first, the lowest index among equals. */
const ranked = (values: Float32Array) => [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);

/** Running sums of the probabilities in the order of the tokens given. */
function cumulative(probabilities: readonly number[], order: readonly number[]): number[] {
  let sum = 0;
  return order.map((token) => {
    sum += probabilities[token] as number;
    return sum;
  });
}

test('greedy takes the largest logit, the lowest index among equals', () => {
  fc.assert(fc.property(logits, uniform, (values, u) => sampler.sample(values, { temperature: 0, topK: 0, topP: 1 }, u).token === ranked(values)[0]));
  expect(sampler.sample(Float32Array.of(1, 3, 3, 2), { temperature: 0, topK: 0, topP: 1 }, 0.9)).toMatchObject({ token: 1 });
});

test('the log-probability is that of temperature 1 over the whole vocabulary', () => {
  const rule = fc.record({ temperature: fc.constantFrom(0, 0.5, 1, 2), topK: fc.integer({ min: 0, max: 8 }), topP: fc.constantFrom(0.3, 0.9, 1) });
  fc.assert(
    fc.property(logits, rule, uniform, (values, rule, u) => {
      const { token, logprob } = sampler.sample(values, rule, u);
      expect(logprob).toBeCloseTo(Math.log(softmax(values)[token] as number), 9);
    }),
  );
});

test('top-k never leaves the k largest', () => {
  fc.assert(
    fc.property(logits, fc.integer({ min: 1, max: 10 }), uniform, (values, topK, u) =>
      ranked(values)
        .slice(0, topK)
        .includes(sampler.sample(values, { temperature: 1, topK, topP: 1 }, u).token),
    ),
  );
});

test('top-p never leaves the smallest set that reaches p, and keeps at least one', () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0, max: 0.999, noNaN: true }), uniform, (values, topP, u) => {
      const probabilities = softmax(values);
      const order = ranked(values);
      const reached = cumulative(probabilities, order).findIndex((sum) => sum >= topP - 1e-9);
      const kept = order.slice(0, 1 + reached);
      const { token } = sampler.sample(values, { temperature: 1, topK: 0, topP }, u);
      // Tokens of equal weight at the edge may change places in the last bits of the sum.
      const edge = probabilities[kept.at(-1) as number] as number;
      expect(kept.includes(token) || Math.abs((probabilities[token] as number) - edge) < 1e-9).toBe(true);
    }),
  );
});

test.each([
  { temperature: 1, topK: 0, topP: 1 },
  { temperature: 0.7, topK: 5, topP: 1 },
  { temperature: 1.5, topK: 0, topP: 0.8 },
])('the distribution is right: %o (chi-square)', (rule) => {
  const values = Float32Array.of(0.3, 2, -1, 1.1, 0.3, -4, 1.9, 0);
  const order = ranked(values);
  const tempered = softmax(values, rule.temperature);
  const before = [0, ...cumulative(tempered, order)];
  const kept = new Set(order.filter((_, rank) => (rule.topK === 0 || rank < rule.topK) && (before[rank] as number) < rule.topP));
  const mass = [...kept].reduce((total, token) => total + (tempered[token] as number), 0);
  const random = randomOf(11);
  const draws = 40_000;
  const counts = new Array<number>(values.length).fill(0);
  for (let i = 0; i < draws; i++) (counts[sampler.sample(values, rule, random.next()).token] as number)++;
  const chiSquare = counts.reduce((total, count, token) => {
    const expected = kept.has(token) ? (draws * (tempered[token] as number)) / mass : 0;
    if (expected === 0) {
      expect(count).toBe(0);
      return total;
    }
    return total + (count - expected) ** 2 / expected;
  }, 0);
  expect(chiSquare).toBeLessThan(24.3); // 7 degrees of freedom, p = .001
});

test('a uniform of 0 never picks a token of weight 0', () => {
  expect(sampler.sample(Float32Array.of(-2000, 0, 0), { temperature: 1, topK: 0, topP: 1 }, 0).token).toBe(1);
});

test.each([[[Number.NaN, 1]], [[1, Number.NaN]], [[1, Number.POSITIVE_INFINITY]]])('refuses logits that are not finite: %o', (values) => {
  expect(() => sampler.sample(Float32Array.from(values), { temperature: 1, topK: 0, topP: 1 }, 0.5)).toThrow(/finite/);
});

test('the exponential is right to the last bits', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 0, noNaN: true }), (x) => Math.abs(expOfNonPositive(x) / Math.exp(x) - 1) < 1e-15),
    { numRuns: 5000 },
  );
  expect([0, -708, -709, Number.NEGATIVE_INFINITY, Number.NaN].map(expOfNonPositive)).toEqual([1, expect.closeTo(Math.exp(-708), 300), 0, 0, Number.NaN]);
});
