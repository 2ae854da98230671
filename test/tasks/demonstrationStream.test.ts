/** @file The stream of demonstrations: any step alone equals the step in order, batches hold like lengths, held-out prompts never appear. */
import { expect, test } from 'vitest';
import { randomOf } from '../../core/random.ts';
import { type Demonstration, demonstrationSources, demonstrationStream, pickWeighted } from '../../core/tasks/demonstrationStream.ts';
import { splitOf } from '../../core/tasks/split.ts';

const sources = demonstrationSources([
  { name: 'chain', family: 'chain', weight: 3, options: {} },
  { name: 'debug', family: 'debug', weight: 1, options: {} },
]);
const options = { seed: 5, batchSize: 16, flawlessFraction: 0.2 };
const length = ({ turns }: Demonstration) => turns.reduce((sum, turn) => sum + turn.text.length + (turn.observation?.length ?? 0), 0);

test('a step made alone after a restart is the step made in order', () => {
  const inOrder = demonstrationStream(sources, options);
  const steps = Array.from({ length: 17 }, (_, i) => inOrder(i + 1));
  for (const step of [1, 8, 9, 17]) expect(demonstrationStream(sources, options)(step)).toEqual(steps[step - 1]);
  expect(new Set(steps.map((batch) => JSON.stringify(batch))).size).toBe(17);
  expect(demonstrationStream(sources, { ...options, seed: 6 })(1)).not.toEqual(steps[0]);
});

test('batches are bucketed by length, and their order is shuffled', () => {
  const stream = demonstrationStream(sources, options);
  const spreads: number[] = [];
  const means: number[] = [];
  for (let step = 1; step <= 8; step++) {
    const lengths = stream(step).map(length);
    expect(lengths.length).toBe(16);
    spreads.push(Math.max(...lengths) - Math.min(...lengths));
    means.push(lengths.reduce((sum, x) => sum + x, 0) / 16);
  }
  expect(Math.max(...means) - Math.min(...means)).toBeGreaterThan(3 * (spreads.toSorted((a, b) => a - b)[4] as number));
  expect(means).not.toEqual(means.toSorted((a, b) => a - b));
});

test('weights hold, and no held-out prompt is ever shown', () => {
  const stream = demonstrationStream(sources, options);
  const all = Array.from({ length: 64 }, (_, i) => stream(i + 1)).flat();
  const chains = all.filter(({ family }) => family === 'chain').length / all.length;
  expect(chains).toBeGreaterThan(0.7);
  expect(chains).toBeLessThan(0.8);
  expect(all.filter(({ messages }) => splitOf(messages[0]?.content as string) === 'heldOut')).toEqual([]);
});

test('a source of weight 0 is never drawn; no procedural source is an error with its remedy', () => {
  const random = randomOf(1);
  const drawn = new Set(
    Array.from(
      { length: 200 },
      () =>
        pickWeighted(random, [
          { weight: 0, name: 'a' },
          { weight: 1, name: 'b' },
        ]).name,
    ),
  );
  expect(drawn).toEqual(new Set(['b']));
  expect(() => demonstrationStream([], options)).toThrow(/set warmup.steps to 0/);
});
