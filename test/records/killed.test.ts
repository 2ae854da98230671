/** @file kill -9 while a run is recorded, several times: afterwards every step is in both files once, in order, and none that was reported is missing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { readEvents } from '../../activities/records/eventFile.ts';
import { type MetricsLine, readLines } from '../../activities/records/lines.ts';
import { temporaryHome } from './temporaryHome.ts';

/** Steps that the process said it had recorded before it was killed `afterSteps` steps later, in the middle of whatever it did. */
async function recordUntilKilled(home: string, firstStep: number, afterSteps: number): Promise<number> {
  const recorder = spawn(process.execPath, [join(import.meta.dirname, 'recordForever.ts'), home, String(firstStep)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let [reported, output] = [firstStep - 1, ''];
  recorder.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    reported = Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1) ?? reported);
    if (reported >= firstStep + afterSteps) setTimeout(() => recorder.kill('SIGKILL'), afterSteps % 3);
  });
  await once(recorder, 'close');
  return reported;
}

test('nothing twice, nothing lost', async () => {
  const { home } = await temporaryHome();
  let reported = 0;
  // A workflow repeats the step whose activity did not answer; going back two steps makes retries of recorded ones certain.
  for (const afterSteps of [7, 11, 5, 13]) reported = await recordUntilKilled(home, Math.max(1, reported - 1), afterSteps);
  const steps = (await readLines<MetricsLine>(runPaths(home, 'synthetic').metrics)).map(({ step }) => step);
  expect(steps).toEqual(Array.from({ length: steps.length }, (_, i) => i + 1));
  expect(steps.length).toBeGreaterThanOrEqual(reported);
  const { events } = readEvents(await readFile(join(runPaths(home, 'synthetic').tensorboard, 'events.out.tfevents.turnwise')));
  const recorded = events.slice(2).map(({ step }) => step);
  expect(recorded).toEqual(Array.from({ length: recorded.length }, (_, i) => i + 1));
  expect(recorded.length).toBeGreaterThanOrEqual(reported);
}, 120_000);
