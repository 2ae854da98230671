/** @file What the policy reads after a turn, which turns break the format, and how a trajectory counts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatViolation } from '../../core/rollout/formatViolation.ts';
import { observationOf, observationOfMalformed, type VisibleExecution } from '../../core/rollout/observation.ts';
import { outcomeOf, outcomeReward, stopReasonAfter } from '../../core/rollout/stopReasons.ts';
import type { StopReason } from '../../core/rollout/types.ts';

const clean: VisibleExecution = { exitCode: 0, stdout: '', stderr: '', timedOut: false, outOfMemory: false, truncated: false };
const terse = (execution: Partial<VisibleExecution>) => observationOf({ observationStyle: 'terse', observationCharacters: 8 }, { ...clean, ...execution });
const full = (execution: Partial<VisibleExecution>, observationCharacters = 2000) =>
  observationOf({ observationStyle: 'full', observationCharacters }, { ...clean, ...execution });

describe('terse', () => {
  test.each<[Partial<VisibleExecution>, string]>([
    [{ value: "'iu'" }, "'iu'"],
    [{ value: '91' }, '91'],
    [{ value: '123456789012' }, '12345678'],
    [{ value: '-5' }, '-5'],
    [{ value: '5', stdout: 'x' }, '5'],
    [{}, 'none'],
    [{ stdout: '7\n' }, '7'],
    [{ stdout: 'Hello' }, 'Error'],
    [{ value: 'True' }, 'Error'],
    [{ value: '<function boss at 0x7fb8>' }, 'TypeError'],
    [{ value: '[1]' }, 'TypeError'],
    [{ value: '(1, 2)' }, 'TypeError'],
    [{ exitCode: 1, errorType: 'KeyError' }, 'KeyError'],
    [{ exitCode: 1, errorType: 'IndentationError' }, 'SyntaxError'],
    [{ exitCode: 1, errorType: 'ZeroDivisionError' }, 'Error'],
    [{ exitCode: null, timedOut: true }, 'Error'],
  ])('%j', (execution, expected) => {
    expect(terse(execution)).toBe(expected);
  });

  test('is spelled in the 98-token vocabulary, whatever the code does', () => {
    const anything = fc.record({
      value: fc.option(fc.string(), { nil: undefined }),
      stdout: fc.string(),
      errorType: fc.option(fc.string(), { nil: undefined }),
    });
    fc.assert(
      fc.property(anything, ({ value, stdout, errorType }) => {
        const shown = terse({ stdout, ...(value === undefined ? {} : { value }), ...(errorType === undefined ? {} : { errorType, exitCode: 1 }) });
        expect(shown).toMatch(/^(?:KeyError|TypeError|NameError|SyntaxError|Error|none|[0-9a-z'()+\-*,. ]{1,8})$/);
      }),
    );
  });
});

describe('full', () => {
  test('output, value and the end of the traceback', () => {
    expect(full({ stdout: 'a\nb\n', value: '3' })).toBe('a\nb\n3');
    expect(full({})).toBe('(no output)');
    expect(full({ stdout: 'a', exitCode: 1, errorType: 'KeyError', stderr: "Traceback …\nKeyError: 'k'\n" })).toBe("a\nTraceback …\nKeyError: 'k'");
    expect(full({ exitCode: null, timedOut: true, stdout: 'half' })).toMatch(/^half\nTimeoutError: /);
    expect(full({ exitCode: null, outOfMemory: true })).toMatch(/^MemoryError: /);
  });

  test('a cut is visible, says how much is missing and keeps both ends', () => {
    expect(full({ stdout: `begin${'x'.repeat(100)}end` }, 10)).toBe('begin\n[… 98 characters cut …]\nxxend');
    expect(full({ stdout: '🙂'.repeat(10) }, 4)).toBe('🙂🙂\n[… 6 characters cut …]\n🙂🙂');
    expect(full({ stdout: 'x', truncated: true })).toBe('x\n[output cut]');
  });

  test('memory addresses, which differ between replays, are blanked', () => {
    expect(full({ value: '<function f at 0x7f3c2b1d9a60>' })).toBe('<function f at 0x…>');
    expect(full({ value: "'0xff'" })).toBe("'0xff'");
  });
});

test('a malformed turn reads as a syntax error', () => {
  expect(observationOfMalformed('no tags')).toBe('SyntaxError');
  expect(observationOfMalformed('no tags', 'full')).toBe('SyntaxError: no tags');
});

describe('format violations', () => {
  test.each([
    [{ turn: 3, action: { kind: 'malformed' } }, false, true],
    [{ turn: 0, action: { kind: 'answer' } }, true, true],
    [{ turn: 0, action: { kind: 'answer' } }, false, false],
    [{ turn: 1, action: { kind: 'answer' } }, true, false],
    [{ turn: 0, action: { kind: 'code' }, execution: { errorType: 'SyntaxError' } }, true, true],
    [{ turn: 0, action: { kind: 'code' }, execution: { errorType: 'KeyError' } }, true, false],
    [{ turn: 0, action: { kind: 'code' } }, true, false],
  ] as const)('%j, tool required %j', (turn, toolRequired, expected) => {
    expect(formatViolation(turn, toolRequired)).toBe(expected);
  });
});

describe('stop reasons', () => {
  const limits = { maxTurns: 3, tokenBudget: 100 };
  const end = { turn: 0, actionKind: 'code', finishReason: 'stop', contextTokens: 40, ended: false } as const;
  test.each([
    [end, undefined],
    [{ ...end, actionKind: 'malformed' as const }, undefined],
    [{ ...end, actionKind: 'answer' as const, turn: 2 }, 'submitted'],
    [{ ...end, ended: true, turn: 2 }, 'ended'],
    [{ ...end, turn: 2 }, 'maxTurns'],
    [{ ...end, contextTokens: 100 }, 'tokenBudget'],
    [{ ...end, finishReason: 'length' as const }, 'turnLength'],
    [{ ...end, finishReason: 'length' as const, contextTokens: 100 }, 'tokenBudget'],
  ])('%j → %j', (turn, expected) => {
    expect(stopReasonAfter(turn, limits)).toBe(expected);
  });

  test('a failure is never a reward, whatever the checker says', () => {
    const outcomes = { modelError: 'model_error', infraError: 'infra_error', cancelled: 'cancelled' } as const;
    for (const [stopReason, outcome] of Object.entries(outcomes)) {
      for (const solved of [true, false, undefined]) expect(outcomeOf(stopReason as StopReason, solved)).toBe(outcome);
      expect(outcomeReward(outcome)).toBeNull();
    }
    expect(outcomeOf('submitted', false)).toBe('failed');
    expect(outcomeOf('ended', true)).toBe('solved');
    expect(outcomeOf('maxTurns', undefined)).toBe('truncated');
    expect(outcomeOf('timeout', true)).toBe('solved');
    expect([outcomeReward('solved'), outcomeReward('failed'), outcomeReward('truncated')]).toEqual([1, 0, 0]);
  });
});
