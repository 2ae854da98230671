/** @file A hundred hostile programs in two boxes that are used again; the benchmark plays two thousand in six. */
import { expect, test } from 'vitest';
import { formatOwner, ownerHere } from '../../../activities/processOwner.ts';
import { labels } from '../../../activities/sandbox/docker/labels.ts';
import { ownBoxes } from '../../../activities/sandbox/docker/reaper.ts';
import { createDockerBackend, describeWithDocker, engine } from '../dockerBackend.ts';
import { limits } from '../openSandbox.ts';
import { soak } from './soak.ts';

describeWithDocker('a soak', () => {
  test('leaves right answers and nothing else', async () => {
    const backend = await createDockerBackend({ memoryBudgetBytes: 2 * limits.memoryMiB * 2 ** 20 });
    try {
      expect(await soak(backend, 100, 2)).toEqual({ programs: 100, wrong: 0, broken: 0, leftFiles: 0, leftProcesses: 0, leftDescriptors: 0 });
      expect(backend.boxes.size).toBeLessThanOrEqual(2);
    } finally {
      await backend.shutdown();
    }
    const owner = formatOwner(ownerHere());
    expect((await ownBoxes(engine.docker)).filter((box) => box.labels[labels.owner] === owner)).toEqual([]);
  }, 300_000);
});
