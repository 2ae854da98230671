/** @file Boxes live no longer than their worker, however it ends, and nobody else's are touched. No reaper runs here but where a test calls it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { formatOwner, ownerHere } from '../../../activities/processOwner.ts';
import { ensureImage } from '../../../activities/sandbox/docker/image.ts';
import { labels } from '../../../activities/sandbox/docker/labels.ts';
import { ownBoxes, reap } from '../../../activities/sandbox/docker/reaper.ts';
import { createDockerBackend, describeWithDocker, engine } from '../dockerBackend.ts';
import { limits, never } from '../openSandbox.ts';

const boxes = 8;
const workers: ChildProcess[] = [];
afterEach(() => {
  for (const worker of workers.splice(0)) worker.kill('SIGKILL');
});

async function busyWorker(silenceMs: number): Promise<ChildProcess> {
  const script = new URL('busyBoxes.ts', import.meta.url).pathname;
  const worker = spawn(process.execPath, [script, engine.address, await ensureImage(engine), String(silenceMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  workers.push(worker);
  const line = await new Promise<string>((resolve) => worker.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString())));
  expect(line).toBe(`${boxes} boxes are busy\n`);
  return worker;
}

async function boxesOf(pid: number | undefined): Promise<number> {
  const owner = formatOwner(ownerHere(pid)).split('/').slice(0, 4).join('/');
  return (await ownBoxes(engine.docker)).filter((box) => box.labels[labels.owner]?.startsWith(`${owner}/`)).length;
}

async function untilGone(pid: number | undefined, withinMs: number): Promise<number> {
  const startedAt = performance.now();
  while ((await boxesOf(pid)) > 0) {
    expect(performance.now() - startedAt).toBeLessThan(withinMs);
    await sleep(20);
  }
  return performance.now() - startedAt;
}

describeWithDocker('docker boxes', () => {
  test('are all gone after their worker was killed by SIGKILL, whatever ran in them', async () => {
    const worker = await busyWorker(600_000);
    expect(await boxesOf(worker.pid)).toBe(boxes);
    worker.kill('SIGKILL');
    // One second on an idle machine (bench/dockerSandbox.ts); the rest is for one that is not.
    await untilGone(worker.pid, 20_000);
  });

  test('end by themselves when their worker is stopped and says nothing any more', async () => {
    const worker = await busyWorker(2000);
    worker.kill('SIGSTOP');
    const goneAfter = await untilGone(worker.pid, 40_000);
    expect(goneAfter).toBeGreaterThan(500);
  });

  test('are kept by a worker that is only slow: its signs of life renew them', async () => {
    const worker = await busyWorker(6000);
    await sleep(8000);
    expect(await boxesOf(worker.pid)).toBe(boxes);
    worker.kill('SIGKILL');
    await untilGone(worker.pid, 20_000);
  });

  test('of a shut-down backend are gone, those that were in use included', async () => {
    const backend = await createDockerBackend();
    const sandbox = await backend.open({ owner: 'test', setup: '', limits, signal: never });
    const running = expect(sandbox.execute('while True: pass', never)).rejects.toMatchObject({ name: 'SandboxBroken' });
    await backend.shutdown();
    await running;
    await untilGone(process.pid, 20_000);
    await expect(backend.open({ owner: 'test', setup: '', limits, signal: never })).rejects.toMatchObject({ name: 'SandboxBroken' });
  });

  test('are reaped when their owner is gone, and never while it lives or cannot be looked up', async () => {
    const image = await ensureImage(engine);
    const here = ownerHere();
    const later = String(Date.now() + 600_000);
    const left = async (owner: string, expires = later, marker = '1') => {
      const options = { Image: image, Entrypoint: ['python3'], Cmd: ['-c', 'pass'], NetworkDisabled: true };
      const container = await engine.docker.createContainer({
        ...options,
        Labels: { [labels.sandbox]: marker, [labels.owner]: owner, [labels.expires]: expires, [labels.purpose]: 'test' },
      });
      return container.id;
    };
    const dead = await left(formatOwner({ ...here, startTicks: '1' }));
    const expired = await left(formatOwner({ ...here, bootId: 'elsewhere' }), '1');
    const kept = [
      await left(formatOwner(here)),
      await left(formatOwner({ ...here, bootId: 'elsewhere', startTicks: '1' })),
      await left('unreadable'),
      await left(formatOwner({ ...here, startTicks: '1' }), later, 'of another program'),
    ];
    try {
      const reaped = await reap(engine.docker);
      expect(reaped).toEqual(expect.arrayContaining([dead, expired]));
      const remaining = (await engine.docker.listContainers({ all: true })).map(({ Id }) => Id);
      expect(remaining).toEqual(expect.arrayContaining(kept));
      expect(remaining).not.toContain(dead);
      expect(remaining).not.toContain(expired);
    } finally {
      await Promise.all(kept.map((id) => engine.docker.getContainer(id).remove({ force: true })));
    }
  });
});
