/** @file The daemon goes away in the middle of a rollout and comes back: the rollout goes on in a new box, with its cells run again, and nothing is left of the old one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArtifactStore } from '../../../activities/artifacts/store.ts';
import { createExecute } from '../../../activities/execute.ts';
import { Backends } from '../../../activities/sandbox/backends.ts';
import { DockerBackend } from '../../../activities/sandbox/docker/backend.ts';
import { ensureImage } from '../../../activities/sandbox/docker/image.ts';
import { ownBoxes, reap, startedWithinMs } from '../../../activities/sandbox/docker/reaper.ts';
import { SandboxTable } from '../../../activities/sandbox/table.ts';
import type { ExecuteInput, ExecuteResult } from '../../../core/rollout/types.ts';
import type { Task } from '../../../core/tasks/task.ts';
import { limits } from '../openSandbox.ts';
import { noPrivateDaemon, PrivateDaemon } from './privateDaemon.ts';

const task: Task = {
  ref: { source: 'count', split: 'train', index: 0 },
  id: 'count/train/0',
  family: 'count',
  messages: [{ role: 'user', content: 'count' }],
  setup: 'calls = 0\ndef count():\n    global calls\n    calls += 1\n    return calls',
  checker: { kind: 'exact', expected: '3' },
  maxTurns: 8,
  toolRequired: true,
  observationStyle: 'terse',
  observationCharacters: 60,
};

describe.skipIf(noPrivateDaemon !== undefined)(
  `a docker daemon that restarts${noPrivateDaemon ? ` (skipped: ${noPrivateDaemon})` : ''}`,
  { timeout: 360_000 },
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'restart-'));
    let daemon: PrivateDaemon;
    let backend: DockerBackend;
    let table: SandboxTable;
    let run: (input: ExecuteInput) => Promise<ExecuteResult>;

    beforeAll(async () => {
      daemon = new PrivateDaemon();
      await daemon.start();
      const image = await ensureImage(daemon.engine);
      backend = new DockerBackend({
        engine: daemon.engine,
        image,
        purpose: 'test',
        memoryBudgetBytes: 2 ** 30,
        spare: { count: 1, memoryMiB: limits.memoryMiB },
      });
      await backend.warm();
      table = new SandboxTable({ leaseMs: 600_000, capacity: 8, maxWaiting: 8 });
      const config = async () => ({ limits: { execution: limits, rolloutTimeoutMs: null }, sandbox: { backend: 'docker' as const } });
      const execute = createExecute({
        backends: new Backends(backend),
        table,
        store: new ArtifactStore(directory),
        taskQueue: 'here',
        sources: async () => ({ task: () => task }),
        config,
      });
      run = (input) => new MockActivityEnvironment().run(execute, input) as Promise<ExecuteResult>;
    }, 240_000);

    afterAll(async () => {
      await table?.closeAll();
      await backend?.shutdown();
      await daemon?.remove();
      rmSync(directory, { recursive: true });
    });

    const cell = (turn: number, committed: number, changed: Partial<ExecuteInput> = {}): ExecuteInput => ({
      run: 'a',
      task: task.ref,
      rollout: 'train/a/s1/t0/r0',
      turn,
      committedCells: Array.from({ length: committed }, () => ({ text: 'count()' })),
      code: { text: 'count()' },
      ...changed,
    });

    test.each(['SIGTERM', 'SIGKILL'] as const)('by %s breaks the turn in flight, and the next attempt goes on', async (signal) => {
      const first = await run(cell(0, 0, { rollout: signal }));
      expect(first).toMatchObject({ observation: { text: '1' }, replayed: false });
      await daemon.stop(signal);
      // While it is away every attempt fails in a way that is tried again.
      const lost = cell(1, 1, { rollout: signal, sandbox: first.sandbox });
      await expect(run(lost)).rejects.toMatchObject({ type: 'SandboxBroken', nonRetryable: false });
      await expect(run(cell(1, 1, { rollout: signal }))).rejects.toMatchObject({ nonRetryable: false });
      await daemon.start();
      const second = await run(cell(1, 1, { rollout: signal }));
      expect(second).toMatchObject({ observation: { text: '2' }, replayed: true });
      const third = await run(cell(2, 2, { rollout: signal, sandbox: second.sandbox }));
      expect(third).toMatchObject({ observation: { text: '3' }, replayed: false });
      // What the daemon did not remove as it went down, or made without saying so, the reaper does in one of its rounds; it leaves those alone that are in use.
      // One whose start was cut off may run on unheard until it has heard nothing for a minute.
      const left = async () => {
        await reap(daemon.engine.docker, Date.now() + startedWithinMs);
        return (await ownBoxes(daemon.engine.docker)).length - backend.boxes.size;
      };
      await expect.poll(left, { timeout: 150_000, interval: 2000 }).toBe(0);
      expect(await run(cell(3, 3, { rollout: signal, sandbox: second.sandbox }))).toMatchObject({ observation: { text: '4' }, replayed: false });
    });
  },
);
