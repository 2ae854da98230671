/** @file What a cell may try against its session: claims about its own end, work between two turns, traps for the next cell. The session goes on, or is the one before the cell. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../../activities/sandbox/sandbox.ts';
import type { ExecutionLimits, ExecutionResult } from '../../../core/rollout/types.ts';
import { describeWithDocker, dockerBackend } from '../dockerBackend.ts';
import { limits, never, openSandbox } from '../openSandbox.ts';

/** Finds the socket to process 1 and says on it that the work is done. */
const claim =
  'import json, os\nreport = json.dumps({"exitCode": 0, "value": "forged", "cut": False}).encode()\nfor fd in range(3, 256):\n    try:\n        os.write(fd, b"P" + report)\n        os.write(fd, b"D")\n    except OSError: pass\n';

describeWithDocker('a session contains', () => {
  describe.each(['separate', 'shared'] as const)('with users %s,', (userMode) => {
    const backend = dockerBackend({ userMode, memoryBudgetBytes: limits.memoryMiB * 2 ** 20 });

    async function inSession(act: (sandbox: Sandbox) => Promise<void>, changed: Partial<ExecutionLimits> = {}): Promise<void> {
      const sandbox = await openSandbox(backend(), 'kept = 6', changed);
      try {
        await act(sandbox);
      } finally {
        await sandbox.close();
      }
      const next = await backend().run({ owner: 'attack', code: 'print(6 * 7)', stdin: '', limits, signal: never });
      expect(next).toMatchObject({ exitCode: 0, stdout: '42\n', stderr: '' });
    }

    const cell = (sandbox: Sandbox, code: string): Promise<ExecutionResult> => sandbox.execute(code, never);
    const expectKept = async (sandbox: Sandbox) => expect(await cell(sandbox, 'kept * 7')).toMatchObject({ exitCode: 0, value: '42', stdout: '', stderr: '' });

    const undone = {
      'a time limit': ['kept = 0\nwhile True: pass', 1000],
      'a kill': ['kept = 0\nimport os\nos.kill(os.getpid(), 9)', limits.wallMs],
      'a crash': ['kept = 0\nimport ctypes\nctypes.string_at(0)', limits.wallMs],
      'the memory limit': ['kept = 0\nheld = []\nwhile True: held.append(bytes(1 << 20))', limits.wallMs],
    } as const;
    test.each(Object.entries(undone))('what a cell did before %s', async (_name, [code, wallMs]) => {
      await inSession(
        async (sandbox) => {
          expect((await cell(sandbox, code)).exitCode).toBeNull();
          await expectKept(sandbox);
        },
        { wallMs },
      );
    });

    test('a cell that kills the process that its state is in', async () => {
      await inSession(async (sandbox) => {
        await cell(sandbox, 'import os\nhead = os.getpid()');
        await cell(sandbox, 'try: os.kill(head, 9)\nexcept OSError: pass\nos.getpid() == head');
        await expectKept(sandbox);
      });
    });

    test('a thread that outlives its cell: it does not write into the next one, nor keeps it from writing', async () => {
      await inSession(async (sandbox) => {
        await cell(
          sandbox,
          'import threading, sys, time\nout = sys.stdout\ndef spam():\n    while True:\n        print("spam", flush=True)\nfor _ in range(4): threading.Thread(target=spam, daemon=True).start()',
        );
        await sleep(200);
        for (let turn = 0; turn < 5; turn += 1) {
          await expectKept(sandbox);
          expect(await cell(sandbox, 'print(1, file=out)\nprint(2)\nprint(3, file=sys.stderr)')).toMatchObject({
            exitCode: 0,
            stdout: '1\n2\n',
            stderr: '3\n',
          });
        }
      });
    });

    test('a standard input that a cell has closed while a thread of its own lives', async () => {
      await inSession(async (sandbox) => {
        await cell(sandbox, 'import sys, threading\nsys.stdin.close()\nthreading.Thread(target=threading.Event().wait, daemon=True).start()');
        expect(await cell(sandbox, 'print(1)\nprint(2, file=sys.stderr)')).toMatchObject({ exitCode: 0, stdout: '1\n', stderr: '2\n' });
        for (let turn = 0; turn < 3; turn += 1) await expectKept(sandbox);
        // Were its successor dead, the cell would have been taken back.
        expect(await cell(sandbox, 'sys.stdin.closed')).toMatchObject({ value: 'True' });
      });
    });

    test('a child that outlives its cell: it does not write into the next one', async () => {
      await inSession(async (sandbox) => {
        await cell(sandbox, 'import os\nif os.fork() == 0:\n    os.setsid()\n    while True: os.write(1, b"spam")');
        await sleep(200);
        await expectKept(sandbox);
      });
    });

    test('a cell that says it is done and goes on: nothing of it counts against the next one', async () => {
      await inSession(
        async (sandbox) => {
          const claimed = await cell(sandbox, `${claim}import time\nfor _ in range(100): time.sleep(0.001)`);
          expect(claimed.stdout).toBe('');
          await expectKept(sandbox);
        },
        { wallMs: 5000 },
      );
    });

    test('code between two turns: a session that waits uses no processor', async () => {
      await inSession(async (sandbox) => {
        await cell(
          sandbox,
          'import threading, time\ncount = 0\ndef work():\n    global count\n    while True: count += 1\nthreading.Thread(target=work, daemon=True).start()',
        );
        await cell(sandbox, 'kept');
        const before = Number((await cell(sandbox, 'import resource\ncount')).value);
        await sleep(1000);
        expect(Number((await cell(sandbox, 'count')).value)).toBe(before);
      });
    });

    test('functions that a cell has replaced under its own session', async () => {
      await inSession(async (sandbox) => {
        await cell(
          sandbox,
          'import os, json, socket, threading\nos.fork = os.write = os.dup2 = json.dumps = threading._shutdown = None\nsocket.socket.sendmsg = None',
        );
        await expectKept(sandbox);
      });
    });

    test('a state that cannot be forked cheaply: fifty megabytes of small objects', async () => {
      await inSession(async (sandbox) => {
        await cell(sandbox, 'held = [object() for _ in range(1_000_000)]');
        expect(await cell(sandbox, 'len(held)')).toMatchObject({ value: '1000000' });
        await expectKept(sandbox);
      });
    });
  });

  describe('what one that never yields costs:', () => {
    const backend = dockerBackend({ memoryBudgetBytes: limits.memoryMiB * 2 ** 20 });

    test('its rollout gets a result, and nobody else waits for it', async () => {
      const sandbox = await openSandbox(backend(), 'kept = 6', { wallMs: 3000 });
      expect(await sandbox.execute(`${claim}while True: pass`, never)).toMatchObject({ stdout: '' });
      const next = await sandbox.execute('kept * 7', never).catch((error: Error) => error);
      await sandbox.close();
      expect(next).toMatchObject({ value: '42' });
    });
  });
});
