/** @file What the golden cases do not cover: dual clip, KL, masks, and the gradient against central differences. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { klK3, type LossInput, type LossOptions, policyLoss } from '../../core/gtpo/loss.ts';

const options: LossOptions = { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, aggregation: 'tokenMean' };
const one = (logRatio: number, advantage: number): LossInput => ({
  policyLogprobs: [[logRatio - 1]],
  behaviorLogprobs: [[-1]],
  advantages: [[advantage]],
  sampledMask: [[1]],
});

describe('clipped surrogate', () => {
  test.each([
    { ratio: 2, advantage: 1, loss: -1.28, gradient: 0 },
    { ratio: 0.5, advantage: 1, loss: -0.5, gradient: -0.5 },
    { ratio: 0.5, advantage: -1, loss: 0.8, gradient: 0 },
    { ratio: 10, advantage: -1, loss: 10, gradient: 10 },
  ])('ratio $ratio, advantage $advantage', ({ ratio, advantage, loss, gradient }) => {
    const result = policyLoss(one(Math.log(ratio), advantage), options);
    expect(result.loss).toBeCloseTo(loss, 12);
    expect(result.gradient[0]?.[0]).toBeCloseTo(gradient, 12);
    expect(result.clipFraction).toBe(gradient === 0 ? 1 : 0);
  });

  test('dual clip bounds what a negative advantage can cost', () => {
    expect(policyLoss(one(Math.log(10), -1), { ...options, dualClip: 3 })).toMatchObject({ loss: 3, gradient: [[0]], clipFraction: 1 });
    expect(policyLoss(one(Math.log(2.5), -1), { ...options, dualClip: 3 }).loss).toBeCloseTo(2.5, 12);
  });
});

test('klK3 is never negative, 0 where the policies agree, and its gradient is right', () => {
  const logprob = fc.double({ min: -6, max: 0, noNaN: true });
  fc.assert(
    fc.property(logprob, logprob, (policy, reference) => {
      expect(klK3(policy, reference).value).toBeGreaterThanOrEqual(-1e-12);
      expect(klK3(policy, policy)).toEqual({ value: 0, slope: 0 });
      const numeric = (klK3(policy + 1e-6, reference).value - klK3(policy - 1e-6, reference).value) / 2e-6;
      expect(Math.abs(klK3(policy, reference).slope - numeric)).toBeLessThan(1e-5 * (1 + Math.exp(reference - policy)));
    }),
  );
});

const row = fc.array(fc.tuple(fc.double({ min: -4, max: 0, noNaN: true }), fc.double({ min: -0.15, max: 0.2, noNaN: true }), fc.boolean()), {
  minLength: 6,
  maxLength: 6,
});

test('masked positions have exactly no gradient and no say; unclipped ones match central differences', () => {
  fc.assert(
    fc.property(row, row, fc.constantFrom('tokenMean' as const, 'trajectoryMean' as const), (first, second, aggregation) => {
      const rows = [first, second];
      const input: LossInput = {
        policyLogprobs: rows.map((tokens) => tokens.map(([policy]) => policy)),
        behaviorLogprobs: rows.map((tokens) => tokens.map(([policy, shift]) => policy + shift)),
        referenceLogprobs: rows.map((tokens) => tokens.map(([policy, shift]) => policy - shift)),
        advantages: rows.map((tokens) => tokens.map((_, t) => (t % 2 === 0 ? 1.5 : -0.7))),
        sampledMask: rows.map((tokens) => tokens.map(([, , sampled]) => (sampled ? 1 : 0))),
      };
      const settings = { ...options, klCoefficient: 0.1, aggregation };
      const { gradient } = policyLoss(input, settings);
      const lossAt = (b: number, t: number, delta: number) => {
        const policyLogprobs = input.policyLogprobs.map((values, i) => values.map((value, j) => (i === b && j === t ? value + delta : value)));
        return policyLoss({ ...input, policyLogprobs }, settings).loss;
      };
      for (const [b, t] of [0, 1].flatMap((i) => [0, 1, 2, 3, 4, 5].map((j) => [i, j] as const))) {
        const slope = gradient[b]?.[t] ?? Number.NaN;
        if (input.sampledMask[b]?.[t] === 0) expect([slope, lossAt(b, t, 3) - lossAt(b, t, 0)]).toEqual([0, 0]);
        else expect(slope).toBeCloseTo((lossAt(b, t, 1e-6) - lossAt(b, t, -1e-6)) / 2e-6, 6);
      }
    }),
    { numRuns: 40 },
  );
});
