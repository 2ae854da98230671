/** @file The budget of a scout: a call begins only when it fits with everything in flight. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Budget, callCeilings, dollarsOf, grouped, noUsage, type Stage, tokensOf } from '../../core/scout/budget.ts';

const worst = (stage: Stage) => callCeilings[stage].inputTokens + callCeilings[stage].outputTokens;

test('a call fits when its worst case and that of what follows do', () => {
  const tokens = worst('analyze') + worst('synthesize');
  expect(new Budget({ tokens, dollars: null }).reserve('analyze', 'synthesize')).toBe(true);
  expect(new Budget({ tokens: tokens - 1, dollars: null }).reserve('analyze', 'synthesize')).toBe(false);
});

test('what a call did not use is free again', () => {
  const budget = new Budget({ tokens: worst('analyze') + 500, dollars: null });
  expect(budget.reserve('analyze')).toBe(true);
  expect(budget.reserve('analyze')).toBe(false);
  budget.settle('analyze', { calls: 1, inputTokens: 400, outputTokens: 100 });
  expect(budget.reserve('analyze')).toBe(true);
  budget.settle('analyze', { calls: 1, inputTokens: 1, outputTokens: 0 });
  expect(budget.reserve('analyze')).toBe(false);
});

test('dollars count where there is a price', () => {
  const price = { input: 1, output: 10 };
  const { inputTokens, outputTokens } = callCeilings.scope;
  const dollars = (inputTokens * 1 + outputTokens * 10) / 1e6;
  expect(dollarsOf({ calls: 1, inputTokens, outputTokens }, price)).toBe(dollars);
  expect(new Budget({ tokens: 1e9, dollars }, price).reserve('scope')).toBe(true);
  expect(new Budget({ tokens: 1e9, dollars: dollars * 0.99 }, price).reserve('scope')).toBe(false);
  expect(dollarsOf(noUsage, undefined)).toBeUndefined();
});

test('whatever the calls take up to their worst case, and in whatever order they end, the limit holds', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const call = fc.record({ input: share, output: share, endsBefore: fc.nat(5) });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 400_000 }), fc.array(call, { maxLength: 30 }), (tokens, calls) => {
      const budget = new Budget({ tokens, dollars: null });
      const inFlight: (() => void)[] = [];
      let spent = 0;
      for (const { input, output, endsBefore } of calls) {
        for (const end of inFlight.splice(0, endsBefore)) end();
        if (!budget.reserve('analyze')) continue;
        const usage = {
          calls: 1,
          inputTokens: Math.floor(input * callCeilings.analyze.inputTokens),
          outputTokens: Math.floor(output * callCeilings.analyze.outputTokens),
        };
        inFlight.push(() => {
          spent += tokensOf(usage);
          budget.settle('analyze', usage);
        });
      }
      for (const end of inFlight) end();
      expect(spent).toBeLessThanOrEqual(tokens);
    }),
  );
});

test('numbers for people', () => {
  expect([0, 999, 1000, 1234567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect(new Budget({ tokens: 120_000, dollars: 0.5 }).limitText).toBe('120,000 tokens, $0.5');
});
