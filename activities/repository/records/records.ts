/** @file The records of a listing: from the cache where the content is known, made in worker threads where it is not. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FileRecord } from '../../../core/scout/fileRecord.ts';
import type { SkipReason } from '../../../core/scout/types.ts';
import { languageOf } from '../grammar/languages.ts';
import type { ListedFile, SourceDescription } from '../sources/source.ts';
import { RecordCache } from './cache.ts';
import { decodeRecord } from './codec.ts';
import type { MadeRecord, ThreadTask } from './recordThread.ts';

/** A thread costs about as much as this many files: its grammar has to be compiled. */
const filesPerThread = 24;
const mostThreads = 4;

export interface Records {
  readonly byPath: ReadonlyMap<string, FileRecord>;
  readonly skipped: ReadonlyMap<string, SkipReason>;
  readonly made: number;
}

export async function recordsOf(source: SourceDescription, files: readonly ListedFile[], cacheRoot: string, signal?: AbortSignal): Promise<Records> {
  const cache = new RecordCache(cacheRoot);
  const byPath = new Map<string, FileRecord>();
  const missing = files.filter(({ path, blob }) => {
    const record = cache.get(blob, languageOf(path)?.name ?? '');
    if (record) byPath.set(path, record);
    return !record;
  });
  const skipped = new Map<string, SkipReason>();
  await Promise.all(
    sharesOf(missing).map((share) =>
      makeInThread({ source, cacheRoot, files: share }, signal, ({ path, record }) => {
        const decoded = record instanceof Uint8Array ? decodeRecord(record) : undefined;
        if (decoded) byPath.set(path, decoded);
        else skipped.set(path, record as SkipReason);
      }),
    ),
  );
  return { byPath, skipped, made: missing.length };
}

/** Largest first, each to the next thread in turn: shares of about the same size. */
function sharesOf(missing: readonly ListedFile[]): ListedFile[][] {
  const threads = Math.min(mostThreads, availableParallelism(), Math.ceil(missing.length / filesPerThread));
  const shares: ListedFile[][] = Array.from({ length: threads }, () => []);
  const largestFirst = missing.toSorted((a, b) => b.byteLength - a.byteLength);
  for (const [index, file] of largestFirst.entries()) shares[index % threads]?.push(file);
  return shares;
}

function makeInThread(task: ThreadTask, signal: AbortSignal | undefined, take: (made: MadeRecord) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const thread = new Worker(new URL('./recordThread.ts', import.meta.url), { workerData: task });
    const stop = () => {
      reject(signal?.reason);
      void thread.terminate();
    };
    signal?.addEventListener('abort', stop, { once: true });
    thread.on('message', take);
    thread.once('error', reject);
    thread.once('exit', () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
  });
}
