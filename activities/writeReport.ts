/** @file Activity `writeReport`: how the run ended, and report.html from what is on disk. Replaced in one step; may be repeated at any time. */
import { writeFileAtomic } from './artifacts/atomicWrite.ts';
import { runPaths } from './artifacts/paths.ts';
import { heartbeating } from './heartbeating.ts';
import type { RecordDependencies } from './recordStep.ts';
import { readRun } from './records/readRun.ts';
import { renderReport } from './records/report/page.ts';
import { readSamples } from './records/report/samples.ts';
import { type Standing, writeStanding } from './records/standing.ts';
import type { LightActivities } from './signatures.ts';

export function createWriteReport({ home }: RecordDependencies): LightActivities['writeReport'] {
  return ({ run, ending }) =>
    heartbeating(async () => {
      if (ending !== undefined) await writeStanding(runPaths(home, run).status, ending);
      await refreshReport(home, run);
    });
}

/** `standing`: what its caller knows better than the files, such as that the run was interrupted just now. */
export async function refreshReport(home: string, run: string, standing?: Standing): Promise<void> {
  const found = await readRun(home, run);
  const records = standing === undefined ? found : { ...found, standing };
  await writeFileAtomic(runPaths(home, run).report, renderReport(records, await readSamples(home, records)));
}
