/** @file Interpreter processes live as long as their worker and no longer, inherit nothing, and obey; cancelling and closing, for every backend. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameReader, frameByteLimit } from '../../activities/sandbox/embedded/frames.ts';
import { parseAnswer } from '../../activities/sandbox/embedded/protocol.ts';
import { limits, never, onEachBackend, openSandbox, useBackend } from './openSandbox.ts';

const backend = useBackend(1);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

async function untilGone(pids: readonly number[], withinMs: number): Promise<void> {
  const startedAt = performance.now();
  while (pids.some(isAlive) && performance.now() - startedAt < withinMs) await sleep(5);
}

describe('an interpreter process', () => {
  test.skipIf(process.platform !== 'linux')('has an empty environment and the flags that close Node', () => {
    const pid = backend().pids[0] as number;
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('');
    const flags = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    expect(flags).toEqual(expect.arrayContaining(['--disallow-code-generation-from-strings', '--permission']));
    expect(flags.filter((flag) => /allow-(fs-write|child-process|addons|wasi)/.test(flag))).toEqual([]);
  });

  test('ends with its worker, killed by SIGKILL while a cell is busy', async () => {
    const worker = spawn(process.execPath, [new URL('busyWorker.ts', import.meta.url).pathname], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve) => worker.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    const pids = JSON.parse(line) as number[];
    expect(pids).toHaveLength(2);
    await sleep(300);
    expect(pids.filter(isAlive)).toEqual(pids);
    worker.kill('SIGKILL');
    await untilGone(pids, 20_000);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('is replaced when it is killed from outside in the middle of a cell, which is a broken sandbox', async () => {
    const sandbox = await openSandbox(backend());
    const running = sandbox.execute('while True: pass', never);
    const pid = backend().pids[0] as number;
    setTimeout(() => process.kill(pid, 'SIGKILL'), 200);
    await expect(running).rejects.toMatchObject({ name: 'SandboxBroken', message: expect.stringContaining('SIGKILL') });
    expect(await sandbox.execute('1 + 1', never)).toMatchObject({ value: '2' });
    await sandbox.close();
  });
});

describe.skipIf(process.platform !== 'linux')('a machine that gives a process no processor', () => {
  test('does not use up the time of its cell', async () => {
    const sandbox = await openSandbox(backend(), '', { wallMs: 300 });
    const pid = backend().pids[0] as number;
    process.kill(pid, 'SIGSTOP');
    const running = sandbox.execute('1 + 1', never);
    await sleep(1200);
    process.kill(pid, 'SIGCONT');
    expect(await running).toMatchObject({ value: '2', timedOut: false });
    expect(await sandbox.execute('while True: pass', never)).toMatchObject({ timedOut: true });
    await sandbox.close();
  });

  test('has broken the sandbox in the end, which is no result of the code', async () => {
    const sandbox = await openSandbox(backend(), 'kept = 1', { wallMs: 100 });
    process.kill(backend().pids[0] as number, 'SIGSTOP');
    await expect(sandbox.execute('1 + 1', never)).rejects.toMatchObject({ name: 'SandboxBroken', message: expect.stringContaining('overloaded') });
    await sandbox.close();
  });
});

describe('sessions that wait for a process', () => {
  test("are made again when it is killed for another session's cell", async () => {
    const [stuck, waiting] = await Promise.all([openSandbox(backend(), '', { wallMs: 500 }), openSandbox(backend(), 'kept = 1')]);
    await waiting.execute('kept += 1', never);
    const killed = stuck.execute('9 ** 9 ** 9', never);
    const waited = waiting.execute('kept += 1\nkept', never);
    expect(await killed).toMatchObject({ timedOut: true });
    expect(await waited).toMatchObject({ value: '3' });
    await Promise.all([stuck.close(), waiting.close()]);
  });

  test('do not wait once they are cancelled', async () => {
    const [busy, waiting] = await Promise.all([openSandbox(backend(), '', { wallMs: 3000 }), openSandbox(backend())]);
    const ended: string[] = [];
    const running = busy.execute('while True: pass', never).finally(() => ended.push('busy'));
    await sleep(100); // the process has turned to it
    await expect(waiting.execute('1', AbortSignal.timeout(100)).finally(() => ended.push('waiting'))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await running).toMatchObject({ timedOut: true });
    expect(ended).toEqual(['waiting', 'busy']);
    await Promise.all([busy.close(), waiting.close()]);
  });
});

onEachBackend((backend) => {
  describe('cancellation', () => {
    test.each([
      ['a loop', 'kept += 1\nwhile True: pass'],
      ['arithmetic in C', 'kept += 1\n9 ** 9 ** 9'],
    ])('of %s stops it at once and leaves the session as it was', async (_name, code) => {
      const sandbox = await openSandbox(backend(), 'kept = 1');
      const controller = new AbortController();
      const running = sandbox.execute(code, controller.signal);
      await sleep(300);
      const cancelledAt = performance.now();
      controller.abort(new Error('cancelled by the test'));
      await expect(running).rejects.toThrow('cancelled by the test');
      // 50 ms on an idle machine; the cell itself might go on for 20 s.
      expect(performance.now() - cancelledAt).toBeLessThan(5000);
      expect(await sandbox.execute('kept', never)).toMatchObject({ value: '1' });
      await sandbox.close();
    });

    test('before a cell begins runs nothing', async () => {
      const sandbox = await openSandbox(backend(), 'kept = 1');
      await expect(sandbox.execute('kept = 2', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
      expect(await sandbox.execute('kept', never)).toMatchObject({ value: '1' });
      await sandbox.close();
    });
  });

  describe('closing', () => {
    test('is idempotent, and a closed session runs nothing', async () => {
      const sandbox = await openSandbox(backend());
      await Promise.all([sandbox.close(), sandbox.close()]);
      await sandbox.close();
      await expect(sandbox.execute('1', never)).rejects.toMatchObject({ name: 'SandboxBroken' });
    });
  });
});

describe('shutting down', () => {
  test('leaves no process and refuses to open', async () => {
    const { EmbeddedBackend } = await import('../../activities/sandbox/embedded/backend.ts');
    const other = new EmbeddedBackend({ processes: 1 });
    await other.warm();
    const pids = [...other.pids];
    await other.shutdown();
    await other.shutdown();
    await untilGone(pids, 5000);
    expect(pids.filter(isAlive)).toEqual([]);
    await expect(other.open({ owner: 'test', setup: '', limits, signal: never })).rejects.toMatchObject({ name: 'SandboxBroken' });
  });
});

describe('the protocol', () => {
  test('joins frames however they are cut', () => {
    const messages = [{ a: 1 }, { text: 'é'.repeat(100) }, {}];
    const bytes = Buffer.concat(messages.map(encodeFrame));
    for (const size of [1, 3, 7, 64, bytes.byteLength]) {
      const reader = new FrameReader();
      const seen: unknown[] = [];
      for (let start = 0; start < bytes.byteLength; start += size) seen.push(...reader.push(bytes.subarray(start, start + size)));
      expect(seen).toEqual(messages);
    }
  });

  test('refuses a frame above the limit before reading it', () => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(frameByteLimit + 1);
    expect(() => new FrameReader().push(header)).toThrow(RangeError);
  });

  test('refuses what is no answer to the request', () => {
    const answer = { id: 3, op: 'cell', ending: 'returned', exitCode: 0, stdout: '', stderr: '', truncated: false, held: true };
    expect(parseAnswer(answer, 3)).toBe(answer);
    for (const forged of [
      null,
      7,
      { ...answer, id: 4 },
      { ...answer, op: 'ready' },
      { ...answer, stdout: 1 },
      { ...answer, ending: 'won' },
      { ...answer, exitCode: '0' },
      { ...answer, held: undefined },
    ]) {
      expect(() => parseAnswer(forged, 3)).toThrow(/interpreter: expected/);
    }
  });
});
