/** @file Files that are whole or absent: temporary name, fsync, rename, fsync of the directory. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { explainFullDisk } from './diskFull.ts';

let counter = 0;

/** Replaces `path` in one step. A crash leaves the old content, or nothing, and at worst a `*.tmp` file. @throws DiskFullError. */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  counter += 1;
  const temporary = `${path}.${process.pid}-${counter}.tmp`;
  try {
    await writeAndSync(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw await explainFullDisk(error, dirname(path), { what: basename(path), byteLength: Buffer.byteLength(content) });
  }
  await syncDirectory(dirname(path));
}

async function writeAndSync(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename durable: the directory entry itself must reach the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
