/** @file What the export command may do: copy a run's policy out of its checkpoint, or make one for ONNX Runtime. */
import { resolve } from 'node:path';
import { runPaths, turnwiseHome } from '../activities/artifacts/paths.ts';
import { exportOnnx } from '../activities/checkpoint/exportOnnx.ts';
import { checkpointAt, type ExportedPolicy, exportPolicy } from '../activities/checkpoint/exportPolicy.ts';
import { namedPolicy } from '../activities/checkpoint/namedPolicy.ts';

export function exportRun(run: string, step: number | undefined, out: string, merge: boolean): Promise<ExportedPolicy> {
  return exportPolicy(runPaths(turnwiseHome(), run).checkpoints, step, resolve(out), merge);
}

/** @param subject a run, or the directory of a checkpoint or model */
export async function exportAsOnnx(subject: string, step: number | undefined, out: string): Promise<ExportedPolicy> {
  const checkpoint = step === undefined ? undefined : await checkpointAt(runPaths(turnwiseHome(), subject).checkpoints, step);
  const policy = await namedPolicy(turnwiseHome(), subject, checkpoint);
  const directory = resolve(out);
  return { checkpoint: policy.checkpoint ?? policy.name, directory, files: await exportOnnx(policy.path, policy.name, directory) };
}
