/** @file The rows of a user's file of tasks or chats, JSON lines or parquet, each with the place it came from. */
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';

export interface Row {
  /** `tasks.jsonl:17`, or `tasks.parquet row 17`. Counts from 1. */
  readonly where: string;
  readonly columns: Readonly<Record<string, unknown>>;
}

export interface Rows {
  readonly rows: readonly Row[];
  /** Lines without anything on them. */
  readonly blank: number;
}

/** A file that cannot be used as it is; the message says where, what was expected, what was found and what to do. */
export class TaskFileError extends Error {
  override readonly name = 'TaskFileError';
}

/** `what` the file should hold, for messages. */
export async function readRows(path: string, what = 'tasks'): Promise<Rows> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new TaskFileError(`${path}: expected a file of ${what} (${error.code}); paths are taken from the directory of the run's configuration`);
  });
  if (!found.isFile()) throw new TaskFileError(`${path}: expected a file of ${what}, got a directory; name the .jsonl or .parquet file inside`);
  const extension = extname(path).toLowerCase();
  if (extension === '.parquet') return { rows: await parquetRows(path), blank: 0 };
  if (['.jsonl', '.ndjson', '.json'].includes(extension)) return jsonRows(path, await readFile(path, 'utf8'));
  throw new TaskFileError(`${path}: expected a .jsonl or .parquet file, got '${extension}'; write one JSON object a line and name it .jsonl`);
}

function jsonRows(path: string, text: string): Rows {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  const rows = lines.flatMap((line, i) => (line.trim() === '' ? [] : [{ where: `${path}:${i + 1}`, columns: jsonObject(line, `${path}:${i + 1}`) }]));
  // The newline that ends the last line makes no blank line.
  const blank = lines.length - rows.length - (text.endsWith('\n') || text === '' ? 1 : 0);
  return { rows, blank };
}

function jsonObject(line: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const hint = line.trim() === '[' ? ' (a JSON array over several lines?)' : '';
    throw new TaskFileError(
      `${where}: expected one JSON object on the line${hint}, got ${excerpt(line)}: ${(error as Error).message}; write one object a line`,
    );
  }
  if (!isRecord(value)) throw new TaskFileError(`${where}: expected a JSON object, got ${excerpt(line)}; write one object a line`);
  return value;
}

async function parquetRows(path: string): Promise<readonly Row[]> {
  const file = await asyncBufferFromFile(path);
  const objects = await parquetReadObjects({ file }).catch((error: Error) => {
    const remedy = /compression codec/i.test(error.message) ? 'write it again with snappy or no compression' : 'write it again, or as .jsonl';
    throw new TaskFileError(`${path}: expected a readable parquet file, got: ${error.message}; ${remedy}`);
  });
  return objects.map((columns, i) => ({
    where: `${path} row ${i + 1}`,
    columns: Object.fromEntries(Object.entries(columns).map(([key, value]) => [key, plain(value)])),
  }));
}

/** Parquet's 64-bit integers arrive as BigInt, and its records have every key of any row, null where theirs was none; values of a file become what JSON would have given. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (isRecord(value)) return withoutNulls(value);
  return value;
}

function withoutNulls(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).flatMap(([key, entry]) => (entry === null ? [] : [[key, plain(entry)]])));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function excerpt(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
