/**
 * @file JSON lines that only grow: every line has a key and is there once, however often its activity is retried, and a torn last line is repaired.
 * Lines lie in ascending order of position, so that only the end of a long file has to be looked at.
 */

import type { FileHandle } from 'node:fs/promises';
import { mkdir, open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { syncDirectory } from '../artifacts/atomicWrite.ts';
import { explainFullDisk } from '../artifacts/diskFull.ts';

export interface LineIdentity {
  /** Never falls from one line to the next; a retry has the position of the first try. */
  readonly position: number;
  /** Unique among the lines of its position. */
  readonly key: string;
}

/** Writers of one file inside this process take turns; between processes Temporal hands a step to one worker at a time. */
const turns = new Map<string, Promise<unknown>>();

/** Appends the lines whose key is not there yet, and waits until they are on disk. */
export async function appendOnce<T>(path: string, lines: readonly T[], identify: (line: T) => LineIdentity): Promise<void> {
  if (lines.length === 0) return;
  const before = turns.get(path) ?? Promise.resolve();
  const mine = before.then(() => appendMissing(path, lines, identify));
  const settled = mine.catch(() => undefined);
  turns.set(path, settled);
  await mine.finally(() => {
    if (turns.get(path) === settled) turns.delete(path);
  });
}

async function appendMissing<T>(path: string, lines: readonly T[], identify: (line: T) => LineIdentity): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a+');
  try {
    const first = Math.min(...lines.map((line) => identify(line).position));
    const tail = await repairedTail(file, (line) => identify(line as T).position < first);
    const known = new Set(tail.map((line) => keyOf(identify(line as T))));
    const missing = lines.filter((line) => !known.has(keyOf(identify(line))));
    if (missing.length === 0) return;
    const text = `${missing.map((line) => JSON.stringify(line)).join('\n')}\n`;
    try {
      await file.appendFile(text);
      await file.sync();
    } catch (error) {
      throw await explainFullDisk(error, dirname(path), { what: `a line of ${basename(path)}`, byteLength: Buffer.byteLength(text) });
    }
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
}

export function keyOf({ position, key }: LineIdentity): string {
  return `${position} ${key}`;
}

const smallestTail = 64 * 1024;

/** Cuts what a crash left unfinished, then answers with the last lines: all from the last one that `isEarlier` on. */
async function repairedTail(file: FileHandle, isEarlier: (line: unknown) => boolean): Promise<readonly unknown[]> {
  const { size } = await file.stat();
  for (let length = smallestTail; ; length *= 2) {
    const start = Math.max(0, size - length);
    const bytes = await readRange(file, start, size);
    const from = start === 0 ? 0 : bytes.indexOf(0x0a) + 1;
    const { lines, byteLength } = wholeLines(bytes.subarray(from));
    if (start > 0 && (from === 0 || !lines.some(isEarlier))) continue;
    if (start + from + byteLength < size) await file.truncate(start + from + byteLength);
    return lines;
  }
}

async function readRange(file: FileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  return bytes.subarray(0, bytesRead);
}

/**
 * Whole lines, and where the last of them ends: what follows is torn (not ended by a newline, or not JSON: blocks that never reached the disk
 * read as zeros). A line in the middle that is not JSON is passed over, never cut: what follows it is good.
 */
export function wholeLines(bytes: Buffer): { readonly lines: readonly unknown[]; readonly byteLength: number } {
  const lines: unknown[] = [];
  let [start, byteLength] = [0, 0];
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    const line = parsed(bytes.toString('utf8', start, end));
    start = end + 1;
    if (line === undefined) continue;
    lines.push(line);
    byteLength = start;
  }
  return { lines, byteLength };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
