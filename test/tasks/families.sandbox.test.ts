/** @file The families in real Python: what a demonstration says the tool answers is what the sandbox answers, and hidden cases judge programs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EmbeddedBackend } from '../../activities/sandbox/embedded/backend.ts';
import { createJudge } from '../../activities/sandbox/judge.ts';
import { programPasses } from '../../activities/tasks/checkCode.ts';
import { randomOf, seedOf } from '../../core/random.ts';
import { observationOf, observationOfMalformed } from '../../core/rollout/observation.ts';
import { parseTurn } from '../../core/rollout/turnFormat.ts';
import { bindFamily, proceduralTask, taskFamilies } from '../../core/tasks/registry.ts';

const limits = { wallMs: 20_000, memoryMiB: 96, outputBytes: 4_000 };
const { signal } = new AbortController();
let backend: EmbeddedBackend;

beforeAll(async () => {
  backend = new EmbeddedBackend({ processes: 1 });
  await backend.warm();
}, 120_000);
afterAll(() => backend.shutdown());

async function withSandbox<Result>(
  setup: string,
  use: (run: (code: string) => ReturnType<Awaited<ReturnType<EmbeddedBackend['open']>>['execute']>) => Promise<Result>,
): Promise<Result> {
  const sandbox = await backend.open({ owner: 'test', setup, limits, signal });
  try {
    return await use((code) => sandbox.execute(code, signal));
  } finally {
    await sandbox.close();
  }
}

test.each(taskFamilies.map(({ name }) => name))('%s: demonstrated observations are those of Python', async (name) => {
  const source = { name, family: bindFamily(name, {}) };
  for (let index = 0; index < 12; index++) {
    const task = proceduralTask(source, 'train', index, 0);
    const turns = task.demonstrate(randomOf(seedOf(name, index)), index % 3 === 0);
    await withSandbox(task.setup, async (run) => {
      for (const { text, observation } of turns) {
        const parsed = parseTurn(text, 'tags');
        if (parsed.kind === 'code') expect([text, observationOf(task, await run(parsed.code))]).toEqual([text, observation]);
        else if (parsed.kind === 'malformed') expect(observation).toBe(observationOfMalformed(parsed.reason));
        else expect(observation).toBeUndefined();
      }
    });
  }
});

test('tools keep their tables out of sight of the globals', async () => {
  const task = proceduralTask({ name: 'chain', family: bindFamily('chain', {}) }, 'train', 3, 0);
  const names = await withSandbox(task.setup, (run) => run("sorted(name for name in globals() if not name.startswith('__'))"));
  expect(names.value).toBe("['age', 'aunt', 'boss', 'coach', 'desk', 'friend', 'room']");
  const wrong = await withSandbox(task.setup, async (run) => [await run("boss('zzz')"), await run('boss()'), await run('bos(1)'), await run("boss('a'")]);
  expect(wrong.map(({ errorType }) => errorType)).toEqual(['KeyError', 'TypeError', 'NameError', 'SyntaxError']);
});

describe('programs', { timeout: 120_000 }, () => {
  const source = { name: 'program', family: bindFamily('program', {}) };

  test('a flawless program passes its hidden cases, which the prompt does not show; an unfinished one fails', async () => {
    const judge = createJudge(async () => backend);
    let failures = 0;
    for (let index = 0; index < 4; index++) {
      const task = proceduralTask(source, 'heldOut', index, 0);
      if (task.checker.kind !== 'code') expect.fail('expected a code checker');
      const { cases } = task.checker;
      const answer = parseTurn(task.demonstrate(randomOf(index), true).at(-1)?.text as string, 'tags');
      if (answer.kind !== 'answer') expect.fail('expected an answer');
      expect(cases.length).toBe(8);
      for (const { stdin } of cases) expect(task.messages[0]?.content.includes(`\n${stdin.trim()} -> `)).toBe(false);
      expect(await programPasses(answer.answer, cases, judge, limits, signal)).toBe(true);
      if (!(await programPasses('print(len(input().split()) - 99)', cases, judge, limits, signal))) failures += 1;
    }
    expect(failures).toBe(4);
  });

  test('stdin reaches the program whole, whatever is in it', async () => {
    const judge = createJudge(async () => backend);
    const stdin = 'a "quoted" \\n \'line\'\nzwölf 🙂\u2028\n\n';
    const { stdout } = await judge('import sys\nif __name__ == "__main__":\n    print(repr(input())); print(ascii(sys.stdin.read()))', stdin, limits, signal);
    expect(stdout).toBe(`'a "quoted" \\\\n \\'line\\''\n'zw\\xf6lf \\U0001f642\\u2028\\n\\n'\n`);
  });

  test('each case has a fresh session, and sys.exit() ends a program well', async () => {
    const judge = createJudge(async () => backend);
    const cases = [
      { stdin: '1', stdout: '1' },
      { stdin: '2', stdout: '2' },
    ];
    expect(await programPasses("assert 'seen' not in globals()\nseen = input()\nprint(seen)", cases, judge, limits, signal)).toBe(true);
    expect(await programPasses('import sys\nprint(input())\nsys.exit()', cases, judge, limits, signal)).toBe(true);
    expect(await programPasses('print(input())\n1/0', cases, judge, limits, signal)).toBe(false);
  });
});
