/** @file Files that have reached the disk, with the hash of what was written; and the hash of what a file holds. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface FileDigest {
  readonly sha256: string;
  readonly size: number;
}

const chunkBytes = 4 * 2 ** 20;

/** Writes the pieces one after another to a new file and waits until the disk has them. */
export async function writeDurably(path: string, pieces: readonly Uint8Array[]): Promise<FileDigest> {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'wx');
  try {
    for (const piece of pieces) {
      // In chunks, so that hashing a large tensor does not hold up the event loop (and its heartbeats) for long.
      for (let offset = 0; offset < piece.byteLength; offset += chunkBytes) {
        const chunk = piece.subarray(offset, offset + chunkBytes);
        hash.update(chunk);
        await file.writeFile(chunk);
        size += chunk.byteLength;
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), size };
}

/** Copies a file, waits until the disk has it, and answers with what is there now. */
export async function copyDurably(from: string, to: string): Promise<FileDigest> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  const file = await open(to, 'r+');
  await file.sync().finally(() => file.close());
  return digestOf(to);
}

export async function digestOf(path: string): Promise<FileDigest> {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'r');
  for await (const chunk of file.createReadStream({ highWaterMark: chunkBytes })) {
    hash.update(chunk as Uint8Array);
    size += (chunk as Uint8Array).byteLength;
  }
  return { sha256: hash.digest('hex'), size };
}

export function sha256Of(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
