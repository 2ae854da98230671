/** @file Activity `writeReport`: report.html from what is on disk. Replaced in one step; may be repeated at any time. */
import { writeFileAtomic } from './artifacts/atomicWrite.ts';
import { runPaths } from './artifacts/paths.ts';
import { heartbeating } from './heartbeating.ts';
import type { RecordDependencies } from './recordStep.ts';
import { readRun } from './records/readRun.ts';
import { renderReport } from './records/report/page.ts';
import { readSamples } from './records/report/samples.ts';
import type { LightActivities } from './signatures.ts';

export function createWriteReport({ home }: RecordDependencies): LightActivities['writeReport'] {
  return ({ run }) =>
    heartbeating(async () => {
      const records = await readRun(home, run);
      await writeFileAtomic(runPaths(home, run).report, renderReport(records, await readSamples(home, records)));
    });
}
