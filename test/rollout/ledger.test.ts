/** @file Token segments and their bytes: what is trained on has log-probabilities, what quantised weights sampled has their bits instead. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSegment, encodeSegment, type Segment, tokensOf } from '../../core/rollout/ledger.ts';

const ids = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 20 }).map((values) => Int32Array.from(values));
const logprob = fc.float({ max: 0, noNaN: true });

test('segments of either kind survive their bytes, and what is cut off or added is refused', () => {
  const trained = fc.array(fc.tuple(fc.nat(), logprob), { maxLength: 20 }).chain((sampled) =>
    ids.map((given): Segment => {
      return { given, sampled: Int32Array.from(sampled, ([id]) => id), behaviorLogprobs: Float32Array.from(sampled, ([, value]) => value) };
    }),
  );
  const quantised = fc.record({ given: ids, sampled: ids, weights: fc.constantFrom('int8' as const, 'int4' as const) });
  fc.assert(
    fc.property(fc.oneof(trained, quantised), (segment) => {
      const bytes = encodeSegment(segment);
      expect(decodeSegment(bytes)).toEqual(segment);
      expect(() => decodeSegment(Uint8Array.of(...bytes, 0, 0))).toThrow(/^decodeSegment: expected \d+ bytes for its counts, got \d+$/);
    }),
  );
});

test('the bytes are those that the file says', () => {
  const tokens = { given: Int32Array.of(7), sampled: Int32Array.of(258) };
  const head = [1, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 2, 1, 0, 0];
  expect([...encodeSegment({ ...tokens, behaviorLogprobs: Float32Array.of(-0.5) })]).toEqual([...head, 0, 0, 0, 0xbf]);
  expect([...encodeSegment({ ...tokens, weights: 'int8' })]).toEqual([...head, 8]);
  expect([...encodeSegment({ ...tokens, weights: 'int4' })]).toEqual([...head, 4]);
  expect(() => decodeSegment(Uint8Array.of(...head, 2))).toThrow('decodeSegment: expected weights of 8 or 4 bits, got 2');
  expect(() => encodeSegment({ ...tokens, behaviorLogprobs: new Float32Array() })).toThrow('expected one log-probability per sampled token (1), got 0');
});

test('a trajectory is its segments in order', () => {
  const first: Segment = { given: Int32Array.of(1, 2), sampled: Int32Array.of(3), behaviorLogprobs: Float32Array.of(-1) };
  const second: Segment = { given: Int32Array.of(4), sampled: Int32Array.of(5, 6), weights: 'int4' };
  expect([...tokensOf([first, second])]).toEqual([1, 2, 3, 4, 5, 6]);
});
