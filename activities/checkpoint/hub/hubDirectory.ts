/** @file A model of the hub as a directory: a snapshot in the cache that Hugging Face's own tools use, complete and checked. */
import { lstat, mkdir, readFile, rename, rm, statfs, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type HubName, hubNameText } from '../../../core/model/hubName.ts';
import { writeFileAtomic } from '../../artifacts/atomicWrite.ts';
import { DiskFullError } from '../../artifacts/diskFull.ts';
import { turnwiseHome } from '../../artifacts/paths.ts';
import { openModelDirectory } from '../modelDirectory.ts';
import { downloadBlob, incompleteOf, sizeOf } from './downloadBlob.ts';
import { type DownloadProgress, downloadProgress, type Tell } from './downloadProgress.ts';
import { HubUnreachable } from './hubErrors.ts';
import { type HubFile, neededFiles } from './hubListing.ts';
import { isOffline, repositoryFolder } from './hubSettings.ts';

const underway = new Map<string, Promise<string>>();

/** @param name pinned. @param tell of a download, if there is one. @throws HubRefusal, HubUnreachable, DiskFullError */
export function hubDirectory(name: HubName, tell?: Tell): Promise<string> {
  const key = `${repositoryFolder(name)} ${name.revision}`;
  const known = underway.get(key) ?? snapshotOf(name, tell).finally(() => underway.delete(key));
  underway.set(key, known);
  return known;
}

async function snapshotOf(name: HubName, tell: Tell | undefined): Promise<string> {
  const snapshot = join(repositoryFolder(name), 'snapshots', name.revision);
  const listed = await recordedFiles(name);
  if (listed !== undefined && (await missingFrom(snapshot, listed)).length === 0) return snapshot;
  if (isOffline()) return usable(snapshot, new HubUnreachable(`${hubNameText(name)}: expected it whole in the cache, since HF_HUB_OFFLINE is set`));
  try {
    const files = await neededFiles(name);
    await fetchMissing(name, snapshot, files, downloadProgress(name, tell));
    await writeFileAtomic(recordOf(name), JSON.stringify(files));
    return snapshot;
  } catch (error) {
    if (error instanceof HubUnreachable) return usable(snapshot, error);
    throw error;
  }
}

/** Which files a snapshot has to have is remembered, so that a whole one is used without asking the hub. */
function recordOf({ repo, revision }: HubName): string {
  return join(turnwiseHome(), 'hub', `${repo.replaceAll('/', '--')}@${revision}.json`);
}

async function recordedFiles(name: HubName): Promise<readonly HubFile[] | undefined> {
  const text = await readFile(recordOf(name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as readonly HubFile[]);
}

async function missingFrom(snapshot: string, files: readonly HubFile[]): Promise<HubFile[]> {
  const missing: HubFile[] = [];
  for (const file of files) if ((await sizeOf(join(snapshot, file.path))) !== file.size) missing.push(file);
  return missing;
}

async function fetchMissing(name: HubName, snapshot: string, files: readonly HubFile[], progress: DownloadProgress): Promise<void> {
  const folder = repositoryFolder(name);
  const missing = await missingFrom(snapshot, files);
  await mkdir(snapshot, { recursive: true });
  await checkRoom(folder, missing);
  for (const file of missing) {
    const blob = blobOf(folder, file);
    if ((await sizeOf(blob)) !== file.size) await downloadBlob(name, file, blob, progress);
    await link(blob, join(snapshot, file.path));
  }
}

async function checkRoom(folder: string, missing: readonly HubFile[]): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const still = await Promise.all(missing.map((file) => bytesToCome(file, blobOf(folder, file))));
  const byteLength = still.reduce((sum, bytes) => sum + bytes, 0);
  if (byteLength <= bavail * bsize) return;
  throw new DiskFullError(folder, bavail * bsize, { what: 'a model of the hub', byteLength, remedy: ' or set HF_HOME to another disk' }, undefined);
}

/** Without what an interrupted download has left, which has its room already; what is longer than the file begins anew in that same room. */
async function bytesToCome({ size }: HubFile, blob: string): Promise<number> {
  if ((await sizeOf(blob)) === size) return 0;
  return size - Math.min(size, (await sizeOf(incompleteOf(blob))) ?? 0);
}

function blobOf(folder: string, { oid }: HubFile): string {
  return join(folder, 'blobs', oid);
}

/** Relative, as Hugging Face's own tools write it; in place of a link that leads nowhere. */
async function link(blob: string, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await rm(temporary, { force: true });
  await symlink(relative(dirname(path), blob), temporary);
  await rename(temporary, path);
}

/** What another tool has put into the cache is used where the hub cannot be asked, if it is a whole model. @throws `otherwise` */
async function usable(snapshot: string, otherwise: Error): Promise<string> {
  const isThere = await lstat(join(snapshot, 'tokenizer.json')).then(
    () => openModelDirectory(snapshot).then(Boolean, () => false),
    () => false,
  );
  if (isThere) return snapshot;
  throw otherwise;
}
