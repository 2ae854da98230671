/**
 * @file Weights that stay in their file, for ONNX Runtime to map: every session and every process on a machine then shares one copy.
 * What is stored as float32 in one folder is used where it lies; half precision is widened once, exactly, into a file of turnwise's own.
 */
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { StoredTensor } from '../../core/model/config.ts';
import type { FrozenBase } from '../../core/model/lora.ts';
import { syncDirectory } from '../artifacts/atomicWrite.ts';
import type { BaseModel } from './baseModel.ts';
import type { ModelDirectory, TensorPlace } from './modelDirectory.ts';
import { encodeHeader, readHeader, readTensors } from './safetensors.ts';

export type FrozenWeights = Pick<FrozenBase, 'folder' | 'tensors'>;

/** `folder` is where a widened copy goes, named by the hash of what it was made from. */
export async function frozenWeights(model: ModelDirectory, { sha256 }: Pick<BaseModel, 'sha256'>, folder: string): Promise<FrozenWeights> {
  return (await mappable(model)) ?? (await widened(model, join(folder, `${sha256}.safetensors`)));
}

/** Undefined where something is not float32, or the files' real places are several: ONNX Runtime follows no link out of its folder. */
async function mappable({ directory, tensors }: ModelDirectory): Promise<FrozenWeights | undefined> {
  const places = [...tensors.values()];
  if (places.some(({ dtype }) => dtype !== 'F32')) return undefined;
  const files = new Map<string, string>();
  for (const file of new Set(places.map((place) => place.file))) files.set(file, await realpath(join(directory, file)));
  const [folder, ...others] = new Set(Array.from(files.values(), dirname));
  if (folder === undefined || others.length > 0) return undefined;
  const stored = ({ shape, file, offset }: TensorPlace): StoredTensor => ({ shape, location: basename(files.get(file) as string), offset });
  return { folder, tensors: new Map(Array.from(tensors, ([name, place]) => [name, stored(place)])) };
}

async function widened(model: ModelDirectory, path: string): Promise<FrozenWeights> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeWidened(model, path);
  const { entries, dataStart } = await readHeader(path);
  const stored = entries.map(({ name, shape, begin }): [string, StoredTensor] => [name, { shape, location: basename(path), offset: dataStart + begin }]);
  return { folder: dirname(path), tensors: new Map(stored) };
}

/** Tensor by tensor, so that memory holds one at a time; by rename, so that the file is whole or absent. */
async function writeWidened({ directory, tensors }: ModelDirectory, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(encodeHeader(Array.from(tensors, ([name, { shape }]) => ({ name, shape }))));
    for (const [name, place] of tensors) {
      const data = (await readTensors(join(directory, place.file), [place])).get(name)?.data as Float32Array;
      await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    await file.sync();
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}
