/** @file Answer checkers: what counts as the same number, the same expression, the same output; and that hostile answers end. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { solves } from '../../activities/tasks/check.ts';
import { type CodeJudge, programPasses, sameOutput, withoutFence } from '../../activities/tasks/checkCode.ts';
import { createMathChecker } from '../../activities/tasks/checkMath.ts';
import { numbersIn, numericEqual } from '../../activities/tasks/numbers.ts';
import { processorMs } from '../support/processorMs.ts';

describe('numbers', () => {
  test.each<[string, readonly number[]]>([
    ['42', [42]],
    [' 42. ', [42]],
    ['-3.5', [-3.5]],
    ['−7', [-7]],
    ['1,234,567', [1234567]],
    ['12,34', []],
    ['1_000', [1000]],
    ['$1,200.50', [1200.5]],
    ['$42$', [42]],
    ['\\$18', [18]],
    ['25%', [25, 0.25]],
    ['25 percent', [25, 0.25]],
    ['3/4', [0.75]],
    ['-3/4', [-0.75]],
    ['1 1/2', [1.5]],
    ['\\frac{1}{2}', [0.5]],
    ['-\\dfrac{1}{4}', [-0.25]],
    ['1.5e3', [1500]],
    ['1.5 \\times 10^{3}', [1500]],
    ['2×10^-2', [0.02]],
    ['5 km', [5]],
    ['5 m/s', [5]],
    ['12 cm^2', [12]],
    ['90^\\circ', [90]],
    ['18 dollars', [18]],
    ['7\\text{ apples}', [7]],
    ['x = 9', [9]],
    ['3 or 4', []],
    ['3, 4', []],
    ['about', []],
    ['', []],
    ['1/0', []],
    ['5e', [5]],
    ['1.2.3', []],
    ['9'.repeat(400), []],
  ])('%j → %j', (text, expected) => {
    expect(numbersIn(text)).toEqual(expected);
  });

  test('any number is read back from its usual spellings', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.constantFrom('', ' km', '.', '%'), (number, suffix) => {
        expect(numericEqual(`${number}${suffix}`, number, 0)).toBe(true);
        expect(numericEqual(`${number.toLocaleString('en-US')}${suffix}`, number, 0)).toBe(true);
        expect(numericEqual(`${number + 1}${suffix === '%' ? '' : suffix}`, number, 0)).toBe(false);
      }),
    );
  });

  test('tolerance is relative, and absolute around zero', () => {
    expect(numericEqual('1000.001', 1000, 1e-6)).toBe(true);
    expect(numericEqual('1000.002', 1000, 1e-6)).toBe(false);
    expect(numericEqual('0.0000001', 0, 1e-6)).toBe(true);
    expect(numericEqual('0.1', 0, 1e-6)).toBe(false);
  });

  test('hostile text ends at once', () => {
    const texts = ['1,'.repeat(50_000), `${'1'.repeat(100)} ${'a '.repeat(49)}`, '\\frac{'.repeat(10_000), ' '.repeat(100_000)];
    expect(processorMs(() => texts.map(numbersIn))).toBeLessThan(1000);
  });
});

describe('math', () => {
  const math = createMathChecker({ processorMs: 5_000, memoryMiB: 256 });
  afterAll(() => math.close());

  test.each([
    ['\\frac{1}{2}', '0.5'],
    ['1/2', '\\dfrac{2}{4}'],
    ['(x+1)^2', 'x^2+2x+1'],
    ['2\\sqrt{2}', '\\sqrt{8}'],
    ['sqrt(8)', '2\\sqrt{2}'],
    ['\\frac{1}{\\sqrt{3}}', '\\frac{\\sqrt{3}}{3}'],
    ['2*x**10', '2x^{10}'],
    ['\\sin(x)^2+\\cos(x)^2', '1'],
    ['x = 5', '5'],
    ['$\\frac{3}{4}$', '0.75'],
    ['\\{2, 1\\}', '\\{1, 2\\}'],
    ['(3, pi/2)', '\\left(3, \\frac{\\pi}{2}\\right)'],
    ['50\\%', '0.5'],
    ['1,000', '1000'],
    ['90^\\circ', '90'],
    ['5\\text{ cm}', '5'],
    ['[0, 1)', '[0,1)'],
    ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}'],
  ])('%s is %s', async (answer, expected) => {
    expect(await math.equal(answer, expected)).toBe(true);
  });

  test.each([
    ['0.333', '\\frac{1}{3}'],
    ['6.28', '2\\pi'],
    ['(x+1)^2', 'x^2+1'],
    ['x', 'y'],
    ['[0, 1]', '[0,1)'],
    ['(2, 1)', '(1, 2)'],
    ['', '5'],
    ['\\frac{', '5'],
    ['\\begin{pmatrix}1&2\\\\3&5\\end{pmatrix}', '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}'],
    ['10^{100}', '10^{100}+10^{95}'],
  ])('%s is not %s', async (answer, expected) => {
    expect(await math.equal(answer, expected)).toBe(false);
  });

  test('an unreadable expected expression is an error of the task, not a wrong answer', async () => {
    await expect(math.equal('5', '\\frac{')).rejects.toThrow('math checker: expected a readable expression in the task, got "\\\\frac{"');
  });

  test('hostile expressions are killed, and the next comparison works', async () => {
    const impatient = createMathChecker({ processorMs: 500, memoryMiB: 256 });
    const hostile = ['9^{9^{9^{9}}}', '\\sum_{i=1}^{99999999999} \\sin(i)', `${'('.repeat(900)}1${')'.repeat(900)}`, '(100000000)!', '(a+b+c+d+e+f)^{400}'];
    for (const answer of hostile) expect(await impatient.equal(answer, '5')).toBe(false);
    expect(await impatient.equal('x+x', '2x')).toBe(true);
    await impatient.close();
  }, 120_000);
});

describe.skipIf(process.platform !== 'linux')('math on a machine that is busy with something else', () => {
  test('a comparison that got no processor has not failed', async () => {
    const asking = spawn(process.execPath, [new URL('askMath.ts', import.meta.url).pathname], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = asking.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    expect(String((await said.next()).value)).toBe('asked');
    asking.kill('SIGSTOP');
    await sleep(1500);
    asking.kill('SIGCONT');
    expect(String((await said.next()).value)).toBe('equal');
  });
});

describe('code', () => {
  const result = { exitCode: 0, stdout: '', stderr: '', timedOut: false, outOfMemory: false, truncated: false, durationMs: 1 };
  const limits = { wallMs: 1000, memoryMiB: 64, outputBytes: 1000 };
  const { signal } = new AbortController();
  const cases = [
    { stdin: '1 2\n', stdout: '3\n' },
    { stdin: '5 5\n', stdout: '10\n' },
  ];
  /** Stands for Python: adds the numbers on stdin, unless told otherwise. */
  const adder = (change: Partial<typeof result> & { readonly errorType?: string } = {}): CodeJudge & { readonly seen: string[] } => {
    const seen: string[] = [];
    const judge = async (program: string, stdin: string) => {
      seen.push(`${program}|${stdin}`);
      const sum = stdin.split(' ').reduce((total, word) => total + Number(word), 0);
      return { ...result, stdout: `${sum} \n\n`, ...change };
    };
    return Object.assign(judge, { seen });
  };

  test('every case must fit; the judge never sees an expected output', async () => {
    const judge = adder();
    expect(await programPasses('```python\nprogram\n```', cases, judge, limits, signal)).toBe(true);
    expect(judge.seen).toEqual(['program|1 2\n', 'program|5 5\n']);
    expect(await programPasses('p', [...cases, { stdin: '1 1', stdout: '3' }], adder(), limits, signal)).toBe(false);
    expect(await programPasses('p', [], adder(), limits, signal)).toBe(false);
  });

  test('a program that was killed or raised fails; sys.exit() does not', async () => {
    for (const change of [{ timedOut: true }, { outOfMemory: true }, { truncated: true }, { exitCode: 1, errorType: 'KeyError' }]) {
      expect(await programPasses('p', cases, adder(change), limits, signal)).toBe(false);
    }
    expect(await programPasses('p', cases, adder({ exitCode: 1, errorType: 'SystemExit' }), limits, signal)).toBe(true);
  });

  test('a broken judge is an error, not a failed program', async () => {
    const broken: CodeJudge = () => Promise.reject(new Error('sandbox lost'));
    await expect(programPasses('p', cases, broken, limits, signal)).rejects.toThrow('sandbox lost');
  });

  test('outputs are compared without spaces at the ends of lines', () => {
    expect(sameOutput('a \r\nb\n\n', 'a\nb')).toBe(true);
    expect(sameOutput(' a', 'a')).toBe(false);
    expect(sameOutput('a\n\nb', 'a\nb')).toBe(false);
    expect(withoutFence('```\nx = 1\ny\n```')).toBe('x = 1\ny');
    expect(withoutFence('print("```")')).toBe('print("```")');
  });
});

describe('which trajectories solve', () => {
  const tools = {
    math: createMathChecker(),
    judge: (() => Promise.reject(new Error('unused'))) as CodeJudge,
    limits: { wallMs: 1, memoryMiB: 1, outputBytes: 1 },
    signal: new AbortController().signal,
  };
  const exact = { checker: { kind: 'exact', expected: '91' } } as const;
  const probe = { checker: { kind: 'probe', secret: 17 }, endsOn: "'hit'" } as const;

  test('an answer counts only where it was submitted', async () => {
    expect(await solves(exact, { stopReason: 'submitted', turns: [{ code: 'x' }, { answer: ' 91 ' }] }, tools)).toBe(true);
    expect(await solves(exact, { stopReason: 'submitted', turns: [{ answer: '19' }] }, tools)).toBe(false);
    expect(await solves(exact, { stopReason: 'maxTurns', turns: [{ code: '91' }] }, tools)).toBeUndefined();
    expect(await solves(exact, { stopReason: 'turnLength', turns: [{ answer: '91' }] }, tools)).toBeUndefined();
  });

  test.each([
    ['probe(17)', "'hit'", true],
    [' probe( 17 ) ', "'hit'", true],
    ['probe(16)', "'low'", false],
    ["'hit'", "'hit'", false],
    ["probe(17) or 'hit'", "'hit'", false],
    ['[probe(i) for i in range(32)]', 'TypeError', false],
    ['probe(17)', 'Error', false],
  ])('search: %s showing %s → %s', async (code, observation, expected) => {
    expect(await solves(probe, { stopReason: 'ended', turns: [{ code, observation }] }, tools)).toBe(expected);
    expect(await solves(probe, { stopReason: 'maxTurns', turns: [{ code, observation }] }, tools)).toBe(expected);
  });
});
