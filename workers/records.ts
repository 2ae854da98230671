/** @file What scripts read of a run: its records on disk, and their text for the terminal. */
export { inspection, runText, stepText, trajectoryText } from '../activities/records/inspect.ts';
export { type RunRecords, readRun, readTrajectories } from '../activities/records/readRun.ts';
export { readSamples } from '../activities/records/report/samples.ts';
export type { Standing } from '../activities/records/standing.ts';
export type { TrajectoryLine } from '../activities/records/trajectoryLine.ts';
export { refreshReport } from '../activities/writeReport.ts';
