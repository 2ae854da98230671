/** @file What the export command may do: copy a run's policy out of its checkpoint, or make one for ONNX Runtime. */
import { resolve } from 'node:path';
import { runPaths, turnwiseHome } from '../activities/artifacts/paths.ts';
import { exportOnnx } from '../activities/checkpoint/exportOnnx.ts';
import { checkpointAt, type ExportedPolicy, exportPolicy, requireFree } from '../activities/checkpoint/exportPolicy.ts';
import { namedPolicy } from '../activities/checkpoint/namedPolicy.ts';

export function exportRun(run: string, step: number | undefined, out: string, merge: boolean): Promise<ExportedPolicy> {
  return exportPolicy(runPaths(turnwiseHome(), run).checkpoints, step, resolve(out), merge);
}

/** @param subject a run, the directory of a checkpoint or model, or a name on the hub. @param tell of a download from there. */
export async function exportAsOnnx(subject: string, step: number | undefined, out: string, tell: (line: string) => void): Promise<ExportedPolicy> {
  // Before a download, or the reading of a large model.
  await requireFree(resolve(out));
  const checkpoint = step === undefined ? undefined : await checkpointAt(runPaths(turnwiseHome(), subject).checkpoints, step);
  const policy = await namedPolicy(turnwiseHome(), subject, checkpoint, tell);
  const directory = resolve(out);
  return { checkpoint: policy.checkpoint ?? policy.name, directory, files: await exportOnnx(policy.path, policy.name, directory) };
}
