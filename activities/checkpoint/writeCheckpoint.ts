/**
 * @file Writing a checkpoint so that it is whole or absent: everything goes into a temporary directory, every file and directory is
 * synced, one rename makes it visible, and only then does `latest` point to it.
 */
import { mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AdamMoments } from '../../core/model/config.ts';
import type { PolicyRef } from '../../core/rollout/types.ts';
import { syncDirectory } from '../artifacts/atomicWrite.ts';
import { explainFullDisk, isFileError } from '../artifacts/diskFull.ts';
import { checkpointName, inTrainingOrder } from './checkpointName.ts';
import { type FileDigest, writeDurably } from './durableFile.ts';
import { type ManifestFiles, manifestName, manifestText, verifyCheckpoint } from './manifest.ts';
import { encodeMoments } from './moments.ts';
import { type PolicyContent, policyPieces } from './policyDirectory.ts';
import { jsonBytes } from './policyFiles.ts';
import { setAside } from './setAside.ts';
import type { TrainerState } from './trainerState.ts';

export interface CheckpointContent extends PolicyContent {
  readonly state: TrainerState;
  /** Null before the first optimiser step. */
  readonly moments: AdamMoments | null;
}

let counter = 0;

/** @throws DiskFullError when the disk is too small; what was there before is untouched. */
export async function writeCheckpoint(checkpoints: string, content: CheckpointContent): Promise<PolicyRef> {
  const name = checkpointName(content.state);
  const pieces = piecesOf(content);
  await mkdir(checkpoints, { recursive: true });
  await removeTemporary(checkpoints, name);
  counter += 1;
  const temporary = join(checkpoints, `.${name}.${process.pid}-${counter}.tmp`);
  try {
    const manifestSha256 = await writeDirectory(temporary, pieces);
    const isReplaced = await publish(temporary, join(checkpoints, name), manifestSha256);
    await (isReplaced ? pointLatestTo(checkpoints, name) : moveLatestUpTo(checkpoints, name));
    return { policyVersion: content.state.policyVersion, checkpoint: `checkpoints/${name}`, manifestSha256 };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw await explainFullDisk(error, checkpoints, { what: 'a checkpoint', byteLength: byteLengthOf(pieces), remedy: ' or lower checkpoints.keepLast' });
  }
}

/** By path below the checkpoint. */
type Pieces = ReadonlyMap<string, readonly Uint8Array[]>;

function piecesOf(content: CheckpointContent): Pieces {
  const policy = [...policyPieces(content)].map(([name, pieces]) => [`policy/${name}`, pieces] as const);
  return new Map<string, readonly Uint8Array[]>([
    ...policy,
    ['optimizer.safetensors', encodeMoments(content.moments)],
    ['trainer_state.json', [jsonBytes(content.state)]],
  ]);
}

function byteLengthOf(pieces: Pieces): number {
  return [...pieces.values()].flat().reduce((sum, piece) => sum + piece.byteLength, 0);
}

async function writeDirectory(directory: string, pieces: Pieces): Promise<string> {
  const files: Record<string, FileDigest> = {};
  for (const [name, content] of pieces) files[name] = await writeDurably(join(directory, name), content);
  const { sha256 } = await writeDurably(join(directory, manifestName), [Buffer.from(manifestText(files satisfies ManifestFiles))]);
  for (const folder of new Set([...pieces.keys()].map(dirname))) await syncDirectory(join(directory, folder));
  return sha256;
}

/** A complete checkpoint of this name that is equal stays; anything else of this name is set aside, not destroyed (answer: true). */
async function publish(temporary: string, final: string, manifestSha256: string): Promise<boolean> {
  try {
    await rename(temporary, final);
  } catch (error) {
    if (!isFileError(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error;
    if (await isComplete(final, manifestSha256)) {
      await rm(temporary, { recursive: true, force: true });
      return false;
    }
    await setAside(final, 'superseded');
    await rename(temporary, final);
    await syncDirectory(dirname(final));
    return true;
  }
  await syncDirectory(dirname(final));
  return false;
}

async function isComplete(directory: string, manifestSha256: string): Promise<boolean> {
  return verifyCheckpoint(directory, manifestSha256).then(
    () => true,
    () => false,
  );
}

/**
 * Points `latest` to a checkpoint unless it points there or to a later one: an attempt that woke up late finds its work done, and later steps
 * too, perhaps its own step pruned.
 */
export async function moveLatestUpTo(checkpoints: string, name: string): Promise<void> {
  const target = await readlink(join(checkpoints, 'latest')).catch(() => undefined);
  const isBehind = target === undefined || (target !== name && inTrainingOrder([target, name]).at(-1) === name);
  if (isBehind) await pointLatestTo(checkpoints, name);
}

/** `latest` is a symbolic link, so that `checkpoints/latest/policy` is a model directory. Replaced by rename. */
export async function pointLatestTo(checkpoints: string, name: string): Promise<void> {
  counter += 1;
  const link = join(checkpoints, `.latest.${process.pid}-${counter}.tmp`);
  await symlink(name, link);
  await rename(link, join(checkpoints, 'latest'));
  await syncDirectory(checkpoints);
}

/** What a killed trainer left half written: of one checkpoint, or of all. */
export async function removeTemporary(checkpoints: string, name = ''): Promise<void> {
  const entries = await readdir(checkpoints);
  const leftovers = entries.filter((entry) => entry.startsWith(name === '' ? '.' : `.${name}.`) && entry.endsWith('.tmp'));
  for (const leftover of leftovers) await rm(join(checkpoints, leftover), { recursive: true, force: true });
}
