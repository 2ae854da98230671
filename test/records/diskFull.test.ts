/** @file A disk without space: recording fails with where, how much and what to do, is tried again, and leaves what was there. */
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { artifactRoot, runPaths } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { createRecordStep } from '../../activities/recordStep.ts';
import { identifyMetrics, readLines } from '../../activities/records/lines.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { asActivity } from './syntheticRun.ts';

/** How recording the steps failed; undefined when it did not. */
async function failureOf(home: string, firstStep: number, lastStep: number): Promise<unknown> {
  const recordStep = asActivity(createRecordStep({ home }));
  try {
    for (let step = firstStep; step <= lastStep; step++) {
      await recordStep({ run: 'r', kind: 'step', step, policyVersion: step, metrics: { 'reward/mean': 1 } });
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

test('of a run that records a step', async (context) => {
  const home = join(await temporaryDirectory('full'), 'home');
  await mkdir(home);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', home], { stdio: 'pipe' });
  } catch (error) {
    return context.skip(`a tmpfs cannot be mounted here: ${(error as Error).message.split('\n')[0]}`);
  }
  const filler = join(home, 'filler');
  try {
    expect(await failureOf(home, 1, 1)).toBeUndefined();
    await writeFile(filler, Buffer.alloc(1 << 20)).catch(() => undefined);
    // What is left of the last block still takes some lines.
    expect(await failureOf(home, 2, 100)).toMatchObject({
      type: 'DiskFull',
      nonRetryable: false,
      message: expect.stringMatching(/^disk full.*Free some space/),
    });
    await expect(new ArtifactStore(artifactRoot(home)).put(Buffer.alloc(5000, 1))).rejects.toMatchObject({
      name: 'DiskFullError',
      message: expect.stringMatching(/^disk full at .*: [0-9a-f]{62} needs 5000 bytes, 0 are free\. Free some space; it is tried again$/),
    });
    await rm(filler);
    expect(await failureOf(home, 1, 100)).toBeUndefined();
    const steps = (await readLines(runPaths(home, 'r').metrics, identifyMetrics)).map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  } finally {
    execFileSync('umount', [home]);
  }
}, 120_000);
