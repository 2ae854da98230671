/** @file base_model.json: the frozen model that an adapter was trained on, by the hash of its files. It lies beside the adapter and goes wherever that goes. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from './checkpointErrors.ts';
import { digestOf, type FileDigest, sha256Of } from './durableFile.ts';
import type { ModelDirectory } from './modelDirectory.ts';
import { readJsonFile } from './modelFile.ts';

export const baseModelFileName = 'base_model.json';

export interface BaseModel {
  readonly schemaVersion: 1;
  /** Absolute path of a directory, or `hub:org/name@commit`. */
  readonly model: string;
  /** Of `files` as JSON: names the base whatever its path. */
  readonly sha256: string;
  /** config.json and the files of weights. */
  readonly files: Readonly<Record<string, FileDigest>>;
}

export async function describeBaseModel(model: string, opened: ModelDirectory): Promise<BaseModel> {
  const names = [...new Set(['config.json', ...Array.from(opened.tensors.values(), ({ file }) => file)])].sort();
  const files: Record<string, FileDigest> = {};
  for (const name of names) files[name] = await rememberedDigest(join(opened.directory, name));
  return { schemaVersion: 1, model, sha256: sha256Of(JSON.stringify(files)), files };
}

/** @throws CheckpointError when the file is missing or of another release. */
export async function readBaseModel(directory: string): Promise<BaseModel> {
  const found = (await readJsonFile(directory, baseModelFileName)) as Partial<BaseModel> | null;
  if (found?.schemaVersion !== 1 || typeof found.model !== 'string' || typeof found.sha256 !== 'string')
    throw new CheckpointError(directory, `${baseModelFileName}: expected schemaVersion 1 with model and sha256, got ${JSON.stringify(found)}`);
  return found as BaseModel;
}

/** @throws CheckpointError when the base is no longer the one that the adapter was trained on. */
export async function verifyBaseModel(expected: BaseModel, opened: ModelDirectory): Promise<void> {
  const found = await describeBaseModel(expected.model, opened);
  if (found.sha256 === expected.sha256) return;
  const changed = Object.keys(expected.files).find((name) => found.files[name]?.sha256 !== expected.files[name]?.sha256);
  throw new CheckpointError(
    opened.directory,
    `expected the base model ${expected.sha256} that the adapter was trained on, but ${changed ?? 'the list of files'} has changed; put the old files back`,
  );
}

const digests = new Map<string, Promise<FileDigest>>();

/** A process hashes a file once, for as long as its size and time of change stay: a base may have gigabytes. */
async function rememberedDigest(path: string): Promise<FileDigest> {
  const { size, mtimeMs, ino } = await stat(path);
  const key = [path, size, mtimeMs, ino].join(' ');
  const digest = digests.get(key) ?? digestOf(path);
  digests.set(key, digest);
  digest.catch(() => digests.delete(key));
  return digest;
}
