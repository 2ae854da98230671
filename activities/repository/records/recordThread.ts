/** @file A worker thread that makes the records of its share of the files, and keeps them in the cache. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SkipReason } from '../../../core/scout/types.ts';
import { languageOf } from '../grammar/languages.ts';
import { readerOf } from '../sources/readers.ts';
import type { ListedFile, SourceDescription } from '../sources/source.ts';
import { RecordCache } from './cache.ts';
import { encodeRecord } from './codec.ts';
import { makeRecord } from './makeRecord.ts';

export interface ThreadTask {
  readonly source: SourceDescription;
  readonly cacheRoot: string;
  readonly files: readonly ListedFile[];
}

export interface MadeRecord {
  readonly path: string;
  readonly record: Uint8Array<ArrayBuffer> | SkipReason;
}

const { source, cacheRoot, files } = workerData as ThreadTask;
const cache = new RecordCache(cacheRoot);
let position = 0;
for await (const content of readerOf(source).read(files)) {
  const { path, blob } = files[position++] as ListedFile;
  const made = await makeRecord(path, content);
  const record = typeof made === 'string' ? made : encodeRecord(made);
  if (record instanceof Uint8Array) cache.put(blob, languageOf(path)?.name ?? '', record);
  parentPort?.postMessage({ path, record } satisfies MadeRecord, record instanceof Uint8Array ? [record.buffer] : []);
}
