/** @file Activity `writeReport`: report.html from what is on disk. Replaced in one step; may be repeated at any time. */
import { writeFileAtomic } from './artifacts/atomicWrite.ts';
import { runPaths } from './artifacts/paths.ts';
import { heartbeating } from './heartbeating.ts';
import type { RecordDependencies } from './recordStep.ts';
import { readRun, readTrajectories } from './records/readRun.ts';
import { renderReport } from './records/report/page.ts';
import { sampleTrajectories } from './records/report/samples.ts';
import type { LightActivities } from './signatures.ts';

export function createWriteReport({ home }: RecordDependencies): LightActivities['writeReport'] {
  return ({ run }) =>
    heartbeating(async () => {
      const records = await readRun(home, run);
      const steps = [...new Set([records.trajectorySteps[0], records.trajectorySteps.at(-1)])].filter((step) => step !== undefined);
      const samples = await Promise.all(steps.map(async (step) => ({ step, trajectories: sampleTrajectories(await readTrajectories(home, run, step)) })));
      await writeFileAtomic(runPaths(home, run).report, renderReport(records, samples));
    });
}
