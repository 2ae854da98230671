/** @file The judge takes no program for right that does not solve, however it ends, and says how it ended. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createJudge } from '../../activities/sandbox/judge.ts';
import { SandboxForged } from '../../activities/sandbox/sandbox.ts';
import { type JudgedCases, judgeProgram } from '../../activities/tasks/checkCode.ts';
import { sameJson } from '../../activities/tasks/strictJson.ts';
import { cheats, honest } from './cheats.ts';
import { limits, never, onEachBackend } from './openSandbox.ts';

const addition: JudgedCases = {
  entry: 'add',
  cases: [
    [2, 3],
    [-4, 4],
    [10 ** 12, 1],
  ].map(([a = 0, b = 0]) => ({ stdin: JSON.stringify([a, b]), stdout: String(a + b) })),
};

onEachBackend((backend) => {
  const judge = createJudge(async () => backend());
  const verdictOf = (program: string, cases = addition) => judgeProgram(program, cases, judge, { ...limits, wallMs: 10_000 }, never);

  test.each(Object.entries(honest))('accepts an honest program: %s', async (_name, program) => {
    expect(await verdictOf(program)).toEqual({ passed: true, suspicions: [] });
  });

  test.each(Object.entries(cheats))('rejects %s', async (_name, program) => {
    expect((await verdictOf(program)).passed).toBe(false);
  });

  test('says which programs ended behind the back of the interpreter', async () => {
    expect((await verdictOf(cheats['os._exit(0) inside the function'] as string)).suspicions).toContain('hardExit');
    const silent = { cases: [{ stdin: '', stdout: '5' }] };
    expect((await verdictOf('pass', silent)).suspicions).toEqual(['silentExit']);
    expect((await verdictOf('print(4)', silent)).suspicions).toEqual([]);
  });

  test('gives every case a process of its own: nothing that one left is there for the next', async () => {
    const program = "import os, sys\nseen = os.path.exists('/tmp/seen')\ntry: open('/tmp/seen', 'w').close()\nexcept OSError: pass\nprint(seen, input())";
    const cases = ['1', '2', '3'].map((stdin) => ({ stdin, stdout: `False ${stdin}` }));
    expect(await verdictOf(program, { cases })).toEqual({ passed: true, suspicions: [] });
  });
});

test('a box that speaks in its supervisor’s name fails the program, and is no reason to ask again', async () => {
  const forged = () => Promise.reject(new SandboxForged('an answer signed by nobody'));
  expect(await judgeProgram('x', addition, forged, limits, never)).toEqual({ passed: false, suspicions: ['forgedFrame'] });
});

describe('two JSON texts', () => {
  test('are the same when they say the same, whatever their layout', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sameJson(JSON.stringify(value), JSON.stringify(value, null, 2))).toBe(true);
      }),
    );
  });

  test.each([
    ['1', 'true'],
    ['1', '"1"'],
    ['0', 'false'],
    ['null', '0'],
    ['[1, 2]', '[2, 1]'],
    ['[1]', '{"0": 1}'],
    ['{"a": 1}', '{"a": 1, "b": 2}'],
    ['9007199254740993', '9007199254740992'],
    ['NaN', 'NaN'],
    ['', ''],
  ])('%s and %s are not', (given, expected) => {
    expect(sameJson(given, expected)).toBe(false);
  });

  test('whole numbers are compared to the last digit, others as numbers', () => {
    expect(sameJson('100000000000000000000000000001', '100000000000000000000000000001')).toBe(true);
    expect(sameJson('1.0', '1')).toBe(true);
    expect(sameJson('{"b": 2, "a": [1]}', '{"a": [1], "b": 2}')).toBe(true);
  });
});
