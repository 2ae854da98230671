/** @file What the export command may do: copy a run's policy out of its checkpoint. */
import { resolve } from 'node:path';
import { runPaths, turnwiseHome } from '../activities/artifacts/paths.ts';
import { type ExportedPolicy, exportPolicy } from '../activities/checkpoint/exportPolicy.ts';

export function exportRun(run: string, step: number | undefined, out: string, merge: boolean): Promise<ExportedPolicy> {
  return exportPolicy(runPaths(turnwiseHome(), run).checkpoints, step, resolve(out), merge);
}
