/**
 * @file Who may write a blob of the cache: one caller of all processes that share the cache, by a file beside it that says which process holds it.
 * A holder that was killed leaves the file behind; it counts no more once its process is known to be gone, or once it has been silent for long
 * (of another machine, or of a container, nothing can be looked up).
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isFileError } from '../../artifacts/diskFull.ts';
import { formatOwner, isProvablyGone, ownerHere, parseOwner } from '../../processOwner.ts';

export interface LockTimes {
  readonly pollMs: number;
  /** How often a holder shows that it lives. */
  readonly signMs: number;
  /** Without a sign for so long, by the waiter's own clock, a lock counts no more. */
  readonly silentMs: number;
}

const usualTimes: LockTimes = { pollMs: 100, signMs: 5_000, silentMs: 60_000 };

/** @param onWait once, with what is waited for, before the work can begin. */
export async function withBlobLock<T>(path: string, work: () => Promise<T>, onWait: (holder: string) => void, times = usualTimes): Promise<T> {
  // With a name of its own, so that no two locks read the same.
  const own = `${formatOwner(ownerHere())} ${randomUUID()}`;
  await take(path, own, onWait, times);
  const sign = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), times.signMs);
  try {
    return await work();
  } finally {
    clearInterval(sign);
    if ((await contentOf(path)) === own) await rm(path, { force: true });
  }
}

async function take(path: string, own: string, onWait: (holder: string) => void, { pollMs, silentMs }: LockTimes): Promise<void> {
  let seen = { sign: '', atMs: performance.now() };
  let isFirst = true;
  for (; !(await isMade(path, own)); await delay(pollMs)) {
    const [content, sign] = await Promise.all([contentOf(path), signOf(path)]);
    if (content === undefined || sign === undefined) continue; // given back in between
    if (seen.sign !== sign) seen = { sign, atMs: performance.now() };
    const owner = parseOwner(content.split(' ')[0]);
    if ((owner !== undefined && isProvablyGone(owner)) || performance.now() - seen.atMs > silentMs) {
      await removeStale(path, content);
      continue;
    }
    if (isFirst) onWait(owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`);
    isFirst = false;
  }
}

async function isMade(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isFileError(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Another waiter may have removed it and taken the lock since it was read: what is taken away by mistake is put back. */
async function removeStale(path: string, content: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return;
    throw error;
  }
  if ((await contentOf(aside)) !== content) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Changes with every sign of its holder, and with the holder. */
function signOf(path: string): Promise<string | undefined> {
  return stat(path).then(
    ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
    () => undefined,
  );
}
