/**
 * @file One file of a model from the hub into the cache: to a temporary name, on from where an earlier attempt stopped, by one process at a time,
 * checked on the disk against its hash, then renamed. Hugging Face's own client has the API calls but neither resumes nor checks.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HubApiError } from '@huggingface/hub';
import type { HubName } from '../../../core/model/hubName.ts';
import { syncDirectory } from '../../artifacts/atomicWrite.ts';
import { explainFullDisk } from '../../artifacts/diskFull.ts';
import { withBlobLock } from './blobLock.ts';
import { type DownloadProgress, downloadProgress } from './downloadProgress.ts';
import { HubUnreachable, hubError } from './hubErrors.ts';
import { hubFetch } from './hubFetch.ts';
import type { HubFile } from './hubListing.ts';
import { hubEndpoint } from './hubSettings.ts';

/** @throws HubUnreachable, HubRefusal, DiskFullError; what has come so far stays, for the next attempt. */
export async function downloadBlob(name: HubName, file: HubFile, blob: string, progress = downloadProgress(name)): Promise<void> {
  await mkdir(dirname(blob), { recursive: true });
  await withBlobLock(
    `${blob}.turnwise.lock`,
    async () => {
      // Another process may have brought it meanwhile.
      if ((await sizeOf(blob)) !== file.size) await download(name, file, blob, progress);
    },
    (holder) => progress.waitFor(file, holder),
  );
}

/** What an interrupted download of a blob has left. */
export function incompleteOf(blob: string): string {
  return `${blob}.turnwise.incomplete`;
}

export function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function download(name: HubName, file: HubFile, blob: string, progress: DownloadProgress): Promise<void> {
  const temporary = incompleteOf(blob);
  const left = (await sizeOf(temporary)) ?? 0;
  if (left > file.size) await rm(temporary);
  const there = left > file.size ? 0 : left;
  const out = await open(temporary, constants.O_RDWR | constants.O_CREAT);
  try {
    if (there < file.size) await append(name, file, out, there, progress);
    await out.sync();
  } catch (error) {
    const full = await explainFullDisk(error, dirname(blob), { what: file.path, byteLength: file.size - there });
    throw full === error ? hubError(error, name, file.path) : full;
  } finally {
    await out.close();
  }
  await verify(name, file, temporary, progress);
  await rename(temporary, blob);
  await syncDirectory(dirname(blob));
}

/** At positions, so that even one who writes against the lock changes no byte of what is right. */
async function append(name: HubName, file: HubFile, out: FileHandle, there: number, progress: DownloadProgress): Promise<void> {
  progress.at('downloading', file, there);
  const response = await request(name, file, there);
  // A server that does not know ranges begins again at the first byte.
  let at = response.status === 206 ? there : 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    if (at + chunk.byteLength > file.size) throw new HubUnreachable(`${file.path} of ${name.repo}: expected ${file.size} bytes, got more`);
    await writeAt(out, chunk, at);
    at += chunk.byteLength;
    progress.at('downloading', file, at);
  }
  if (at < file.size) throw new HubUnreachable(`${file.path} of ${name.repo}: expected ${file.size} bytes, got ${at}; try again, it goes on from there`);
}

async function writeAt(out: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  for (let written = 0; written < chunk.byteLength; ) {
    written += (await out.write(chunk, written, chunk.byteLength - written, at + written)).bytesWritten;
  }
}

/** What lies on the disk, not what came: others may have written there, and an earlier attempt may have been torn. */
async function verify(name: HubName, file: HubFile, temporary: string, progress: DownloadProgress): Promise<void> {
  const { path, size, oid, hash } = file;
  const sum = hash === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
  let bytes = 0;
  for await (const chunk of createReadStream(temporary)) {
    sum.update(chunk as Buffer);
    bytes += (chunk as Buffer).byteLength;
    progress.at('checking', file, bytes);
  }
  const found = sum.digest('hex');
  if (bytes === size && found === oid) return;
  await rm(temporary, { force: true });
  const kind = hash === 'sha256' ? 'sha256' : "git's hash";
  const difference = bytes === size ? `expected ${kind} ${oid}, got ${found}` : `expected ${size} bytes on the disk, got ${bytes}`;
  throw new HubUnreachable(`${path} of ${name.repo}: ${difference}; what came is removed, try again`);
}

async function request({ repo, revision }: HubName, { path }: HubFile, from: number): Promise<Response> {
  const headers = from > 0 ? { range: `bytes=${from}-` } : {};
  const response = await hubFetch(`${hubEndpoint()}/${repo}/resolve/${revision}/${encodeURIComponent(path)}`, { headers });
  if (response.ok) return response;
  const said = (await response.text()).slice(0, 200) || response.statusText;
  throw new HubApiError(response.url, response.status, response.headers.get('x-request-id') ?? undefined, said);
}
