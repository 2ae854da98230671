/**
 * @file One file of a model from the hub into the cache: to a temporary name, on from where an earlier attempt stopped, checked against its
 * hash, then renamed. Hugging Face's own client has the API calls but neither resumes nor checks.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HubApiError } from '@huggingface/hub';
import type { HubName } from '../../../core/model/hubName.ts';
import { syncDirectory } from '../../artifacts/atomicWrite.ts';
import { explainFullDisk } from '../../artifacts/diskFull.ts';
import { HubUnreachable, hubError } from './hubErrors.ts';
import type { HubFile } from './hubListing.ts';
import { hubEndpoint, hubToken } from './hubSettings.ts';

/** @throws HubUnreachable, HubRefusal, DiskFullError; what has come so far stays, for the next attempt. */
export async function downloadBlob(name: HubName, file: HubFile, blob: string): Promise<void> {
  await mkdir(dirname(blob), { recursive: true });
  const temporary = `${blob}.turnwise.incomplete`;
  const hash = await hashOfBeginning(temporary, file);
  const missing = file.size - hash.bytes;
  try {
    if (missing > 0) await append(name, file, temporary, hash);
  } catch (error) {
    const full = await explainFullDisk(error, dirname(blob), { what: file.path, byteLength: missing });
    throw full === error ? hubError(error, name, file.path) : full;
  }
  const found = hash.sum.digest('hex');
  if (found !== file.oid) {
    await rm(temporary, { force: true });
    const kind = file.hash === 'sha256' ? 'sha256' : "git's hash";
    throw new HubUnreachable(`${file.path} of ${name.repo}: expected ${kind} ${file.oid}, got ${found}; what came is removed, try again`);
  }
  await rename(temporary, blob);
  await syncDirectory(dirname(blob));
}

interface Progress {
  readonly sum: Hash;
  bytes: number;
}

/** Of what an earlier attempt has left; all of it again where it is more than there can be. */
async function hashOfBeginning(temporary: string, { size, hash }: HubFile): Promise<Progress> {
  const sum = hash === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
  const there = await stat(temporary).then(
    (found) => found.size,
    () => 0,
  );
  if (there > size) await rm(temporary);
  else if (there > 0) for await (const chunk of createReadStream(temporary)) sum.update(chunk as Buffer);
  return { sum, bytes: there > size ? 0 : there };
}

async function append(name: HubName, file: HubFile, temporary: string, progress: Progress): Promise<void> {
  const response = await request(name, file, progress.bytes);
  // A server that does not know ranges begins again at the first byte.
  let skip = response.status === 206 ? 0 : progress.bytes;
  const out = await open(temporary, 'a');
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const fresh = chunk.subarray(Math.min(skip, chunk.byteLength));
      skip -= chunk.byteLength - fresh.byteLength;
      if (progress.bytes + fresh.byteLength > file.size) throw new HubUnreachable(`${file.path} of ${name.repo}: expected ${file.size} bytes, got more`);
      progress.sum.update(fresh);
      await out.writeFile(fresh);
      progress.bytes += fresh.byteLength;
    }
    await out.sync();
  } finally {
    await out.close();
  }
  if (progress.bytes < file.size)
    throw new HubUnreachable(`${file.path} of ${name.repo}: expected ${file.size} bytes, got ${progress.bytes}; try again, it goes on from there`);
}

async function request({ repo, revision }: HubName, { path }: HubFile, from: number): Promise<Response> {
  const token = hubToken();
  const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(from > 0 && { range: `bytes=${from}-` }) };
  const response = await fetch(`${hubEndpoint()}/${repo}/resolve/${revision}/${encodeURIComponent(path)}`, { headers });
  if (response.ok) return response;
  const said = (await response.text()).slice(0, 200) || response.statusText;
  throw new HubApiError(response.url, response.status, response.headers.get('x-request-id') ?? undefined, said);
}
