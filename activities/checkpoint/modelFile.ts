/** @file A file of a model directory, opened only when it is a plain file of bearable size: such directories come from anywhere. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFileError } from '../artifacts/diskFull.ts';

/** A model directory that cannot be used as it is. */
export class ModelDirectoryError extends Error {
  override readonly name = 'ModelDirectoryError';
}

/** Larger than any file of text in a model directory that is in use: tokenizers come to some 40 MB. */
const largestText = 256 * 2 ** 20;

/** Undefined when there is no such file. @throws ModelDirectoryError when it is no plain file, or too large for what it should be. */
export async function readTextFile(directory: string, name: string, limit = largestText): Promise<string | undefined> {
  const path = join(directory, name);
  const found = await stat(path).catch((error: unknown) => {
    if (isFileError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new ModelDirectoryError(`${path}: expected a file, got something else of that name`);
  if (found.size > limit) throw new ModelDirectoryError(`${path}: expected at most ${limit} bytes, got ${found.size}`);
  return readFile(path, 'utf8');
}

/** @throws ModelDirectoryError when the file is missing or not JSON. */
export async function readJsonFile(directory: string, name: string, limit?: number): Promise<unknown> {
  const text = await readTextFile(directory, name, limit);
  if (text === undefined) throw new ModelDirectoryError(`${directory}: expected ${name}, found no such file`);
  return parsedJson(text, join(directory, name));
}

export function parsedJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelDirectoryError(`${path}: expected JSON, got ${(error as Error).message}`, { cause: error });
  }
}
