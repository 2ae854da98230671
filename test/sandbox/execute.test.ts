/** @file Activity `execute` around real sandboxes: what it answers, when it replays, and what a retry does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { createCloseSandboxes } from '../../activities/closeSandboxes.ts';
import { createExecute } from '../../activities/execute.ts';
import { Backends } from '../../activities/sandbox/backends.ts';
import { EmbeddedBackend } from '../../activities/sandbox/embedded/backend.ts';
import { createJudge } from '../../activities/sandbox/judge.ts';
import { SandboxTable } from '../../activities/sandbox/table.ts';
import type { ExecuteInput, ExecuteResult, ExecutionResult } from '../../core/rollout/types.ts';
import type { RunConfig } from '../../core/run/config.ts';
import type { Task } from '../../core/tasks/task.ts';
import { limits, never, onEachBackend } from './openSandbox.ts';

const directory = mkdtempSync(join(tmpdir(), 'execute-'));
afterAll(() => rmSync(directory, { recursive: true }));
const artifacts = new ArtifactStore(directory);
const taskQueue = 'turnwise-sandbox/test';

const task: Task = {
  ref: { source: 'search', split: 'train', index: 0 },
  id: 'search/train/0',
  family: 'search',
  messages: [{ role: 'user', content: 'find it' }],
  setup: "calls = 0\ndef probe(n):\n    global calls\n    calls += 1\n    return 'hit' if n == 7 else 'high' if n > 7 else 'low'",
  checker: { kind: 'probe', secret: 7 },
  maxTurns: 8,
  toolRequired: true,
  observationStyle: 'terse',
  observationCharacters: 60,
  endsOn: "'hit'",
};

/** A run in which every reference names this task. */
function runOf(played: Task, sandbox: RunConfig['sandbox'] = { backend: 'auto' }) {
  return {
    sources: async () => ({ task: () => played }),
    config: async () => ({ limits: { execution: limits, rolloutTimeoutMs: 60_000 }, sandbox }),
  };
}

function cell(turn: number, code: string, changed: Partial<ExecuteInput> = {}): ExecuteInput {
  return { run: 'a', task: task.ref, rollout: 'train/a/s1/t0/r0', turn, committedCells: [], code: { text: code }, ...changed };
}

async function executionOf(result: ExecuteResult): Promise<ExecutionResult> {
  return JSON.parse(await artifacts.fromText(result.execution.result)) as ExecutionResult;
}

onEachBackend((backend) => {
  function worker(table = new SandboxTable({ leaseMs: 60_000, capacity: 8, maxWaiting: 8 }), played = task) {
    const execute = createExecute({ backends: new Backends(backend()), table, store: artifacts, taskQueue, ...runOf(played) });
    const run = (input: ExecuteInput) => new MockActivityEnvironment().run(execute, input) as Promise<ExecuteResult>;
    return { table, run, close: createCloseSandboxes({ table, taskQueue }) };
  }

  describe('execute', () => {
    test('opens a sandbox, names it, and finds it again', async () => {
      const { run, table, close } = worker();
      const first = await run(cell(0, 'probe(3)'));
      expect(first).toMatchObject({
        sandbox: { taskQueue, backend: backend().name },
        observation: { text: "'low'" },
        replayed: false,
        committed: true,
        ended: false,
      });
      expect(first.execution).toMatchObject({ exitCode: 0, timedOut: false, outOfMemory: false, truncated: false });
      const second = await run(cell(1, 'calls', { sandbox: first.sandbox, committedCells: [{ text: 'probe(3)' }] }));
      expect(second).toMatchObject({ sandbox: first.sandbox, observation: { text: '1' }, replayed: false });
      expect(table.size).toBe(1);
      await close({ sandboxes: [first.sandbox, { ...first.sandbox, taskQueue: 'of another worker' }] });
      await close({ sandboxes: [first.sandbox] });
      expect(table.size).toBe(0);
    });

    test('ends the trajectory when the observation is the one that ends it', async () => {
      const { run, table } = worker();
      expect(await run(cell(0, 'probe(7)'))).toMatchObject({ observation: { text: "'hit'" }, ended: true });
      await table.closeAll();
    });

    test('gives code that fails as a result', async () => {
      const { run, table } = worker();
      const result = await run(cell(0, "{}['x']"));
      expect(result).toMatchObject({ observation: { text: 'KeyError' }, execution: { exitCode: 1, errorType: 'KeyError' }, committed: true });
      expect((await executionOf(result)).stderr).toContain("KeyError: 'x'");
      await table.closeAll();
    });

    test('runs a turn once, however often it is tried', async () => {
      const { run, table } = worker();
      const first = await run(cell(0, 'probe(1)\ncalls'));
      const [again, same] = await Promise.all([run(cell(0, 'probe(1)\ncalls')), run(cell(0, 'probe(1)\ncalls'))]);
      expect([again, same]).toEqual([first, first]);
      expect(await run(cell(1, 'calls', { sandbox: first.sandbox, committedCells: [{ text: 'probe(1)\ncalls' }] }))).toMatchObject({
        observation: { text: '1' },
      });
      await table.closeAll();
    });

    test('replays the committed cells where the sandbox is gone', async () => {
      const lost = { taskQueue: 'of a dead worker', id: 'gone', backend: 'embedded' };
      const committedCells = [{ text: 'probe(1)' }, { text: "{}['x']" }, { text: 'x = calls' }];
      const { run, table } = worker();
      const result = await run(cell(3, '(x, calls)', { sandbox: lost, committedCells }));
      expect((await executionOf(result)).value).toBe('(1, 1)');
      expect(result).toMatchObject({ replayed: true, committed: true });
      expect(result.sandbox.id).not.toBe('gone');
      await table.closeAll();
    });

    test('rebuilds a session that ran a cell nobody committed', async () => {
      const { run, table } = worker();
      const first = await run(cell(0, 'probe(1)'));
      // The attempt at turn 1 ran, but its answer was lost and another worker's was taken.
      await run(cell(1, 'probe(2)', { sandbox: first.sandbox, committedCells: [{ text: 'probe(1)' }] }));
      const result = await run(cell(1, 'calls', { committedCells: [{ text: 'probe(1)' }] }));
      expect(result).toMatchObject({ observation: { text: '1' }, replayed: true });
      expect(table.size).toBe(1);
      await table.closeAll();
    });

    test('does not commit a killed cell', async () => {
      const { run, table } = worker();
      const result = await run(cell(0, 'import os\nprobe(1)\nos._exit(0)'));
      expect(result).toMatchObject({ committed: false, execution: { exitCode: null, errorType: 'SystemExit' } });
      expect(await run(cell(1, 'calls', { sandbox: result.sandbox }))).toMatchObject({ observation: { text: '0' }, replayed: false });
      await table.closeAll();
    });

    test('keeps big output out of the payload', async () => {
      const { run, table } = worker();
      const result = await run(cell(0, "print('x' * 3000)"));
      expect(result.execution.result).toHaveProperty('ref.sha256');
      expect((await executionOf(result)).stdout).toBe(`${'x'.repeat(3000)}\n`);
      await table.closeAll();
    });

    test('a setup that does not run is a SandboxBroken failure that may be tried again', async () => {
      const { run, table } = worker(undefined, { ...task, setup: 'nonsense(' });
      await expect(run(cell(0, '1'))).rejects.toMatchObject({ type: 'SandboxBroken', nonRetryable: false, message: expect.stringContaining('SyntaxError') });
      expect(table.size).toBe(0);
    });

    test('refuses for good a run that asks for another backend or image than this worker has', async () => {
      const other = backend().name === 'docker' ? 'embedded' : 'docker';
      const table = new SandboxTable({ leaseMs: 60_000, capacity: 1, maxWaiting: 1 });
      const refusals = [
        [{ backend: other }, `the run asks for ${other}, this worker has ${backend().name}`],
        [{ backend: 'auto', image: 'science' }, `the run asks for science, this worker has ${backend().image ?? 'none'}`],
      ] as const;
      for (const [asked, message] of refusals) {
        const execute = createExecute({ backends: new Backends(backend()), table, store: artifacts, taskQueue, ...runOf(task, asked) });
        await expect(new MockActivityEnvironment().run(execute, cell(0, '1'))).rejects.toMatchObject({
          type: 'SandboxUnavailable',
          nonRetryable: true,
          message: expect.stringContaining(message),
        });
      }
      expect(table.size).toBe(0);
    });

    test('gives a run that asks for the embedded sandbox one beside its own, where the worker may', async () => {
      const table = new SandboxTable({ leaseMs: 60_000, capacity: 1, maxWaiting: 1 });
      const made: EmbeddedBackend[] = [];
      const makeEmbedded = () => {
        made.push(new EmbeddedBackend({ processes: 1 }));
        return made.at(-1) as EmbeddedBackend;
      };
      const backends = new Backends(backend(), makeEmbedded);
      const execute = createExecute({ backends, table, store: artifacts, taskQueue, ...runOf(task, { backend: 'embedded' }) });
      const run = (input: ExecuteInput) => new MockActivityEnvironment().run(execute, input) as Promise<ExecuteResult>;
      const first = await run(cell(0, 'probe(3)'));
      const second = await run(cell(1, 'calls', { sandbox: first.sandbox, committedCells: [{ text: 'probe(3)' }] }));
      expect([first, second]).toMatchObject([
        { sandbox: { backend: 'embedded' }, observation: { text: "'low'" } },
        { sandbox: { backend: 'embedded' }, observation: { text: '1' }, replayed: false },
      ]);
      expect(made).toHaveLength(backend().name === 'embedded' ? 0 : 1);
      await createCloseSandboxes({ table, taskQueue })({ sandboxes: [first.sandbox] });
      await made[0]?.shutdown();
      expect(made[0]?.pids ?? []).toEqual([]);
    });

    test('runs the cells of a run without rollback in place where the backend can, and refuses it for good where that would be without effect', async () => {
      const table = new SandboxTable({ leaseMs: 60_000, capacity: 1, maxWaiting: 1 });
      const run = (input: ExecuteInput, rollback = false) => {
        const asked = { backend: 'auto', rollback } as const;
        const execute = createExecute({ backends: new Backends(backend()), table, store: artifacts, taskQueue, ...runOf(task, asked) });
        return new MockActivityEnvironment().run(execute, input) as Promise<ExecuteResult>;
      };
      if (backend().name === 'docker') {
        const where = 'import os\nos.getpid()';
        const first = await executionOf(await run(cell(0, where)));
        expect((await executionOf(await run(cell(1, 'os.getpid()', { committedCells: [{ text: where }] })))).value).toBe(first.value);
      } else {
        for (const rollback of [false, true]) {
          await expect(run(cell(0, '6 * 7'), rollback)).rejects.toMatchObject({
            type: 'SandboxUnavailable',
            nonRetryable: true,
            message: expect.stringContaining(`sandbox.rollback: the run asks for ${rollback}, this worker has the embedded sandbox`),
          });
        }
        expect(table.size).toBe(0);
      }
      await table.closeAll();
    });

    test('stops the running cell when the activity is cancelled, and frees the place', async () => {
      const table = new SandboxTable({ leaseMs: 60_000, capacity: 1, maxWaiting: 1 });
      const execute = createExecute({ backends: new Backends(backend()), table, store: artifacts, taskQueue, ...runOf(task) });
      const environment = new MockActivityEnvironment();
      const running = environment.run(execute, cell(0, 'while True: pass'));
      setTimeout(() => environment.cancel('CANCELLED'), 300);
      await expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
      expect(table.size).toBe(0);
    });
  });

  describe('the table of sandboxes', () => {
    test('lets owners wait in order, refuses more than may wait, and admits when one closes', async () => {
      const { run, table } = worker(new SandboxTable({ leaseMs: 60_000, capacity: 1, maxWaiting: 1 }));
      const first = await run(cell(0, 'calls', { rollout: 'r0' }));
      const second = run(cell(0, 'calls', { rollout: 'r1' }));
      while (table.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await expect(run(cell(0, 'calls', { rollout: 'r2' }))).rejects.toMatchObject({ type: 'SandboxTableFull', nonRetryable: false });
      await table.close(first.sandbox.id);
      expect(await second).toMatchObject({ observation: { text: '0' } });
      expect([table.size, table.waiting]).toEqual([1, 0]);
      await table.closeAll();
    });

    test('closes the sandboxes of owners that have gone silent', async () => {
      const { run, table } = worker();
      await run(cell(0, '1'));
      await table.sweep(Date.now() + 59_000);
      expect(table.size).toBe(1);
      await table.sweep(Date.now() + 61_000);
      expect(table.size).toBe(0);
      await table.closeAll();
    });
  });

  describe('judging a program', () => {
    test('gives it the input and nothing of any other run', async () => {
      const judge = createJudge(async () => backend());
      const program =
        "import sys\ntry:\n    seen += 1\nexcept NameError:\n    seen = 1\nif __name__ == '__main__':\n    print(seen, sum(int(line) for line in sys.stdin))";
      expect(await judge(program, '1\n2\n3\n', limits, never)).toMatchObject({ exitCode: 0, stdout: '1 6\n' });
      expect(await judge(program, '4\n', limits, never)).toMatchObject({ exitCode: 0, stdout: '1 4\n' });
    });
  });
});
