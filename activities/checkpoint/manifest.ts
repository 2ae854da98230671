/**
 * @file MANIFEST.json: the sha-256 and size of every file of a checkpoint. Written last inside the directory; its own sha-256 names the checkpoint.
 * It holds no date and no path, so that equal training states have equal manifests.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isFileError } from '../artifacts/diskFull.ts';
import { CheckpointError } from './checkpointErrors.ts';
import { digestOf, type FileDigest, sha256Of } from './durableFile.ts';

export const manifestName = 'MANIFEST.json';

/** By path below the checkpoint's directory, with forward slashes. */
export type ManifestFiles = Readonly<Record<string, FileDigest>>;

export function manifestText(files: ManifestFiles): string {
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ schemaVersion: 1, files: sorted }, null, 2)}\n`;
}

/**
 * The manifest's sha-256 when every file is there with the size and hash it lists.
 * @throws CheckpointError naming the first file that is not.
 */
export async function verifyCheckpoint(directory: string, expectedManifestSha256?: string): Promise<string> {
  const { manifestSha256, files } = await expectedManifest(directory, expectedManifestSha256);
  await verifyFiles(directory, files);
  return manifestSha256;
}

/**
 * The files below `policy/`, verified: a policy worker reads no others, and the optimizer's moments are twice as large as the weights.
 * @throws CheckpointError as above, also when the manifest is another than expected.
 */
export async function verifyPolicyFiles(directory: string, expectedManifestSha256: string): Promise<ManifestFiles> {
  const { files } = await expectedManifest(directory, expectedManifestSha256);
  const ofPolicy = Object.fromEntries(Object.entries(files).filter(([name]) => name.startsWith('policy/')));
  await verifyFiles(directory, ofPolicy);
  return ofPolicy;
}

async function expectedManifest(directory: string, expectedManifestSha256?: string): Promise<{ manifestSha256: string; files: ManifestFiles }> {
  const { text, files } = await readManifest(directory);
  const checkpoint = basename(directory);
  const manifestSha256 = sha256Of(text);
  if (expectedManifestSha256 !== undefined && manifestSha256 !== expectedManifestSha256) {
    throw new CheckpointError(
      checkpoint,
      `expected ${manifestName} with sha256 ${expectedManifestSha256}, got ${manifestSha256}; another run or a repeated step wrote it`,
    );
  }
  return { manifestSha256, files };
}

async function verifyFiles(directory: string, files: ManifestFiles): Promise<void> {
  for (const [name, expected] of Object.entries(files)) await verifyFile(directory, name, expected);
}

/** Sizes first: they tell a torn file without reading it. */
async function verifyFile(directory: string, name: string, expected: FileDigest): Promise<void> {
  const checkpoint = basename(directory);
  const path = join(directory, name);
  try {
    const { size } = await stat(path);
    if (size !== expected.size) throw new CheckpointError(checkpoint, `${name}: expected ${expected.size} bytes, got ${size}; the file is torn`);
    const { sha256 } = await digestOf(path);
    if (sha256 !== expected.sha256) throw new CheckpointError(checkpoint, `${name}: expected sha256 ${expected.sha256}, got ${sha256}; the file was changed`);
  } catch (error) {
    if (isFileError(error, 'ENOENT', 'ENOTDIR', 'EISDIR'))
      throw new CheckpointError(checkpoint, `${name}: expected a file of ${expected.size} bytes, found none`);
    throw error;
  }
}

async function readManifest(directory: string): Promise<{ text: string; files: ManifestFiles }> {
  const checkpoint = basename(directory);
  const text = await readFile(join(directory, manifestName), 'utf8').catch((error: unknown) => {
    if (isFileError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw new CheckpointError(checkpoint, `expected ${manifestName} in ${directory}, found none`);
    throw error;
  });
  let parsed: { schemaVersion?: unknown; files?: unknown } | null;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(checkpoint, `${manifestName}: ${(error as Error).message}`);
  }
  if (parsed?.schemaVersion !== 1)
    throw new CheckpointError(checkpoint, `${manifestName}: expected schemaVersion 1, got ${JSON.stringify(parsed?.schemaVersion)}`);
  if (!isManifestFiles(parsed.files))
    throw new CheckpointError(checkpoint, `${manifestName}: expected files with sha256 and size each, all inside the checkpoint`);
  return { text, files: parsed.files };
}

function isManifestFiles(files: unknown): files is ManifestFiles {
  if (typeof files !== 'object' || files === null) return false;
  return Object.entries(files).every(([name, digest]) => {
    const inside = !name.startsWith('/') && !name.split(/[/\\]/).includes('..');
    return inside && typeof digest?.sha256 === 'string' && Number.isSafeInteger(digest?.size);
  });
}
