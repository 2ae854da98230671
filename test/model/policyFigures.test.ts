/** @file The figures of an update against the loss that is their document: what counts as clipped, and both divergences. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isClipped, PolicyFigures } from '../../activities/policy/training/policyFigures.ts';
import { policyLoss } from '../../core/gtpo/loss.ts';
import type { BatchRow } from '../../core/run/batch.ts';
import { loss } from './trainingRows.ts';

const mask = [0, 1, 1, 0, 1];
const masked = (values: readonly number[]) => Float32Array.from(values, (value, t) => value * (mask[t] as number));

it('a token is clipped where the loss has no gradient, with dual clip and without', () => {
  const ratio = fc.double({ min: 0.01, max: 30, noNaN: true });
  const advantage = fc.constantFrom(-2, -0.5, 0.5, 2);
  fc.assert(
    fc.property(ratio, advantage, fc.constantFrom(null, 1.5, 3), (value, sign, dualClip) => {
      const options = { ...loss, clipLow: 0.2, clipHigh: 0.28, dualClip };
      const token = { policyLogprobs: [[Math.log(value)]], behaviorLogprobs: [[0]], advantages: [[sign]], sampledMask: [[1]] };
      const { gradient } = policyLoss(token, { ...options, klCoefficient: 0 });
      expect(isClipped(value, sign, options)).toBe(gradient[0]?.[0] === 0);
    }),
  );
  expect([3.1, 2.9].map((value) => isClipped(value, -1, { clipLow: 0.2, clipHigh: 0.28, dualClip: 3 }))).toEqual([true, false]);
});

it('the divergence from the reference has a figure of its own, and none without a reference', () => {
  const policy = [-9, -1.2, -0.4, -9, -2.5];
  const reference = [-9, -1.6, -0.1, -9, -2.4];
  const behavior = [0, -1.3, -0.4, 0, -2.2];
  const row: BatchRow = {
    taskId: 'chain/train/0',
    sibling: 0,
    tokens: Int32Array.from([1, 2, 3, 4, 5]),
    sampledMask: Uint8Array.from(mask),
    behaviorLogprobs: masked(behavior),
    advantages: masked([1, 1, -1, 1, 1]),
  };
  const figuresOf = (referenceLogprobs: Float32Array | null) => {
    const figures = new PolicyFigures();
    figures.observe({ ...row, referenceLogprobs }, Float32Array.from(policy), new Float32Array(mask.length), loss, true);
    return figures.metrics();
  };
  const klTo = (other: readonly number[]) => {
    const input = { policyLogprobs: [policy], behaviorLogprobs: [behavior], referenceLogprobs: [other], advantages: [mask], sampledMask: [mask] };
    return policyLoss(input, { ...loss, klCoefficient: 1 }).kl;
  };
  expect(figuresOf(masked(reference)).referenceKl).toBeCloseTo(klTo(reference), 6);
  expect(figuresOf(masked(reference)).kl).toBeCloseTo(klTo(behavior), 6);
  expect(figuresOf(null).referenceKl).toBeNull();
});
