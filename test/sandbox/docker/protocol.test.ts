/** @file What the host may ask of one box: files in and out as the code's user, sessions in place, time limits of the box itself. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Box } from '../../../activities/sandbox/docker/box.ts';
import { ensureImage } from '../../../activities/sandbox/docker/image.ts';
import { makeBox } from '../../../activities/sandbox/docker/makeBox.ts';
import { runLimitsOf } from '../../../activities/sandbox/docker/runLimits.ts';
import { describeWithDocker, dockerBackend, engine } from '../dockerBackend.ts';
import { limits, never } from '../openSandbox.ts';

const boxes: Box[] = [];
afterEach(async () => {
  await Promise.all(boxes.splice(0).map((box) => box.destroy()));
});

async function box(lifetimes?: { silenceMs: number; lifetimeMs: number }, onEnd = () => undefined): Promise<Box> {
  const place = { engine, image: await ensureImage(engine), purpose: 'test', ...(lifetimes === undefined ? {} : { lifetimes }) };
  const made = await makeBox(place, limits.memoryMiB * 2 ** 20, onEnd);
  boxes.push(made);
  return made;
}

const file = (path: string, content: Buffer | string) => ({ path, content: Buffer.from(content).toString('base64') });

function run(on: Box, code: string, filesIn: readonly { path: string; content: string }[] = [], filesOut: readonly string[] = []) {
  return on.perform({ op: 'run', code, stdin: '', limits: runLimitsOf(limits), filesIn: [...filesIn], filesOut: [...filesOut] }, never);
}

describeWithDocker('files of a box', () => {
  test('go in and come out byte for byte, and are gone for the next program', async () => {
    const made = await box();
    const content = randomBytes(300_000);
    const copy = "open('out.bin', 'wb').write(open('a/b/in.bin', 'rb').read()[::-1])";
    const { files } = await run(made, copy, [file('a/b/in.bin', content)], ['out.bin', 'missing', 'a/b/in.bin']);
    expect(files).toEqual([file('out.bin', Buffer.from(content).reverse()), file('a/b/in.bin', content)]);
    expect((await run(made, "import os\nos.listdir('/tmp')")).report).toMatchObject({ value: '[]' });
  });

  test('belong to the user that code runs as', async () => {
    const { report } = await run(await box(), "import os\nos.stat('f').st_uid == os.getuid() != 0", [file('f', 'x')]);
    expect(report).toMatchObject({ value: 'True' });
  });

  test('are not read through a link, a link to a directory, or from what is no file', async () => {
    const code =
      "import os, socket\nos.symlink('/etc/passwd', 'link')\nos.symlink('/etc', 'etc')\nos.mkdir('directory')\nsocket.socket(socket.AF_UNIX).bind('socket')\nopen('plain', 'w').write('x')";
    const { files } = await run(await box(), code, [], ['link', 'etc/passwd', 'directory', 'socket', 'plain']);
    expect(files).toEqual([file('plain', 'x')]);
  });

  test('are not written through a link that an earlier cell has left', async () => {
    const made = await box();
    const perform = (question: object) => made.perform({ stdin: '', limits: runLimitsOf(limits), filesIn: [], filesOut: [], ...question } as never, never);
    await perform({ op: 'open', code: "import os\nos.symlink('/dev/shm/target', 'link')\nos.symlink('/dev/shm', 'folder')", rollback: true });
    for (const path of ['link', 'folder/inside']) {
      await expect(perform({ op: 'execute', code: '1', filesIn: [file(path, 'x')] })).rejects.toThrow(new RegExp(`filesIn: ${path}`));
    }
    expect(await perform({ op: 'execute', code: "os.listdir('/dev/shm')" })).toMatchObject({ report: { value: '[]' } });
  });

  test.each(['../up', '/absolute', 'a/../b', 'a//b', '.', ''])('are refused under the name %j', async (path) => {
    await expect(run(await box(), '1', [file(path, 'x')])).rejects.toThrow(/files: expected paths relative to the working directory/);
  });
});

describeWithDocker('the time of a box', () => {
  const ended = async (lifetimes: { silenceMs: number; lifetimeMs: number }) => {
    let note: (() => void) | undefined;
    const end = new Promise<void>((resolve) => {
      note = resolve;
    });
    const made = await box(lifetimes, () => {
      note?.();
      return undefined;
    });
    return { made, end };
  };

  test('is over at its age, while code runs', async () => {
    const { made, end } = await ended({ silenceMs: 60_000, lifetimeMs: 1500 });
    await expect(run(made, 'while True: pass')).rejects.toMatchObject({ name: 'SandboxBroken', message: expect.stringContaining('too old') });
    await end;
    expect(made.alive).toBe(false);
  });

  test('is over at its age, while nothing runs', async () => {
    const { made, end } = await ended({ silenceMs: 60_000, lifetimeMs: 1500 });
    await end;
    expect(made.alive).toBe(false);
  });

  test('is renewed by the host’s signs of life, with and without code', async () => {
    const { made } = await ended({ silenceMs: 3000, lifetimeMs: 60_000 });
    await sleep(4500);
    expect(await run(made, 'import time\ntime.sleep(4.5)\n6 * 7')).toMatchObject({ report: { value: '42' } });
  });
});

describeWithDocker('a session in place', () => {
  const backend = dockerBackend();
  const openInPlace = (setup: string, wallMs = limits.wallMs) =>
    backend().open({ owner: 'test', setup, rollback: false, limits: { ...limits, wallMs }, signal: never });

  test('keeps its state, threads too', async () => {
    const sandbox = await openInPlace('kept = 6');
    await sandbox.execute('import threading\ngo = threading.Event()\nthread = threading.Thread(target=go.wait, daemon=True)\nthread.start()', never);
    expect(await sandbox.execute('kept += 1\n(kept, thread.is_alive())', never)).toMatchObject({ value: '(7, True)' });
    await sandbox.close();
  });

  test('is made again from its committed cells when one is killed', async () => {
    const sandbox = await openInPlace('kept = 5', 2000);
    await sandbox.execute('kept += 1', never);
    expect(await sandbox.execute('kept = 0\nwhile True: pass', never)).toMatchObject({ timedOut: true });
    expect(await sandbox.execute('kept * 7', never)).toMatchObject({ value: '42' });
    await sandbox.close();
  });
});
