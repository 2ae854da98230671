/** @file A copy of a checkpoint's policy, verified before and after, whole or absent. */
import { mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../artifacts/atomicWrite.ts';
import { isFileError } from '../artifacts/diskFull.ts';
import { isAdapterDirectory } from './adapterDirectory.ts';
import { CheckpointError } from './checkpointErrors.ts';
import { positionOf } from './checkpointName.ts';
import { copyDurably, digestOf } from './durableFile.ts';
import { listCheckpoints } from './findCheckpoint.ts';
import { type ManifestFiles, manifestName, verifyCheckpoint } from './manifest.ts';
import { readWholePolicy, writePolicyDirectory } from './policyDirectory.ts';
import { cardFileName } from './policyFiles.ts';

export interface ExportedPolicy {
  /** Such as `global_step_12`. */
  readonly checkpoint: string;
  readonly directory: string;
  readonly files: ManifestFiles;
}

/**
 * `step` undefined is the newest checkpoint; 0 the policy that reinforcement learning started from, after the warm-up.
 * With `merge`, an adapter is added to its base and the whole model written; the checkpoint keeps the adapter alone, so nothing is added twice.
 * @throws CheckpointError when there is no such checkpoint or it is damaged; Error when `out` holds something already.
 */
export async function exportPolicy(checkpoints: string, step: number | undefined, out: string, merge = false): Promise<ExportedPolicy> {
  const checkpoint = await checkpointAt(checkpoints, step);
  const directory = join(checkpoints, checkpoint);
  await verifyCheckpoint(directory);
  await removeIfEmpty(out);
  const temporary = join(dirname(out), `.${basename(out)}.${process.pid}.tmp`);
  try {
    const files = await (merge ? mergePolicy(join(directory, 'policy'), temporary) : copyPolicy(directory, temporary));
    await rename(temporary, out);
    await syncDirectory(dirname(out));
    return { checkpoint, directory: out, files };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Name of the checkpoint after a step, as `exportPolicy` counts them. @throws CheckpointError */
export async function checkpointAt(checkpoints: string, step: number | undefined): Promise<string> {
  const names = await listCheckpoints(checkpoints);
  const name = step === undefined ? names.at(-1) : names.findLast((candidate) => positionOf(candidate)?.globalStep === step);
  if (name !== undefined) return name;
  throw new CheckpointError(
    step === undefined ? 'newest' : `global_step_${step}`,
    `expected it in ${checkpoints}, which has ${names.join(', ') || 'none'}; older ones are pruned (checkpoints.keepLast, checkpoints.keepEvery)`,
  );
}

/** Changes nothing. @throws Error when something else than an empty directory is there. */
export async function requireFree(out: string): Promise<void> {
  const names = await readdir(out).catch((error: unknown) => {
    if (isFileError(error, 'ENOENT')) return [];
    if (isFileError(error, 'ENOTDIR')) throw occupied(out, error);
    throw error;
  });
  if (names.length > 0) throw occupied(out);
}

/** @throws Error when something else than an empty directory is there. */
export async function removeIfEmpty(out: string): Promise<void> {
  await mkdir(dirname(out), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`export: expected ${dirname(out)} to be a directory or to become one, got ${error.code}; choose another --out`, { cause: error });
  });
  await rmdir(out).catch((error: unknown) => {
    if (isFileError(error, 'ENOENT')) return;
    if (!isFileError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
    throw occupied(out, error);
  });
}

function occupied(out: string, cause?: unknown): Error {
  return new Error(`export: expected ${out} not to exist, or to be an empty directory; choose another --out`, { cause });
}

async function mergePolicy(adapter: string, target: string): Promise<ManifestFiles> {
  if (!(await isAdapterDirectory(adapter))) throw new Error('export --merge: expected a run that trains an adapter (policy.lora), got one of whole models');
  await rm(target, { recursive: true, force: true });
  await writePolicyDirectory(target, { ...(await readWholePolicy(adapter)), card: await readFile(join(adapter, cardFileName), 'utf8') });
  const digests = (await readdir(target)).map(async (name) => [name, await digestOf(join(target, name))] as const);
  return Object.fromEntries(await Promise.all(digests));
}

async function copyPolicy(checkpoint: string, target: string): Promise<ManifestFiles> {
  const manifest = JSON.parse(await readFile(join(checkpoint, manifestName), 'utf8')) as { files: ManifestFiles };
  const listed = Object.entries(manifest.files).flatMap(([path, digest]) =>
    path.startsWith('policy/') ? [[path.slice('policy/'.length), digest] as const] : [],
  );
  await rm(target, { recursive: true, force: true });
  for (const [name, expected] of listed) {
    const { sha256 } = await copyDurably(join(checkpoint, 'policy', name), join(target, name));
    if (sha256 !== expected.sha256)
      throw new Error(`export: ${join(target, name)}: expected sha256 ${expected.sha256} after copying, got ${sha256}; is the disk sound?`);
  }
  return Object.fromEntries(listed);
}
