/**
 * @file Reading and writing safetensors (https://huggingface.co/docs/safetensors): float32 in memory, whatever the file's dtype.
 * Files are read tensor by tensor, so that memory holds the weights once. Little-endian hosts, as the format and all our targets are.
 */
import { open, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Tensor, Weights } from '../../core/model/config.ts';
import { headerLengthOf, lengthPrefixBytes, parseHeader, SafetensorsError, type TensorEntry } from './safetensorsHeader.ts';

export { SafetensorsError } from './safetensorsHeader.ts';

export interface Safetensors {
  /** In the order of their bytes. */
  readonly tensors: Weights;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Fills `target` with the bytes at `offset`. */
type ReadInto = (target: Uint8Array, offset: number) => Promise<void>;

/** @throws SafetensorsError when the bytes, or the file at this path, are not a whole safetensors file. */
export async function readSafetensors(source: Uint8Array | string): Promise<Safetensors> {
  if (typeof source !== 'string') {
    return readFrom(async (target, offset) => target.set(source.subarray(offset, offset + target.byteLength)), source.byteLength, 'safetensors');
  }
  const file = await open(source, 'r');
  try {
    const { size } = await file.stat();
    return await readFrom((target, offset) => readFully(file, target, offset, source), size, source);
  } finally {
    await file.close();
  }
}

async function readFrom(readInto: ReadInto, fileBytes: number, source: string): Promise<Safetensors> {
  const prefix = new Uint8Array(Math.min(lengthPrefixBytes, fileBytes));
  await readInto(prefix, 0);
  const headerBytes = new Uint8Array(headerLengthOf(prefix, fileBytes, source));
  await readInto(headerBytes, lengthPrefixBytes);
  const { entries, metadata, dataStart } = parseHeader(headerBytes, fileBytes, source);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries) tensors.set(entry.name, await readTensor(readInto, dataStart, entry));
  return { tensors, metadata };
}

async function readTensor(readInto: ReadInto, dataStart: number, { dtype, shape, begin, end }: TensorEntry): Promise<Tensor> {
  const bytes = new Uint8Array(end - begin);
  await readInto(bytes, dataStart + begin);
  if (dtype === 'F32') return { shape, data: new Float32Array(bytes.buffer) };
  const halves = new Uint16Array(bytes.buffer);
  return { shape, data: dtype === 'BF16' ? widenBfloat16(halves) : widenFloat16(halves) };
}

async function readFully(file: Awaited<ReturnType<typeof open>>, target: Uint8Array, offset: number, source: string): Promise<void> {
  const largestRead = 2 ** 30; // one read call takes less than 2 GiB
  for (let done = 0; done < target.byteLength; ) {
    const { bytesRead } = await file.read(target, done, Math.min(largestRead, target.byteLength - done), offset + done);
    if (bytesRead === 0) throw new SafetensorsError('truncated', source, `expected ${target.byteLength} bytes at ${offset}, the file ended after ${done}`);
    done += bytesRead;
  }
}

/** A bfloat16 is the upper half of a float32. */
function widenBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
}

function widenFloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, float32BitsOfFloat16).buffer);
}

/** Exact: every float16, subnormals, infinities and NaNs included, is a float32. */
function float32BitsOfFloat16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // brings the leading one of a subnormal to bit 10
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/**
 * The bytes of a file of F32 tensors, in pieces that are views where they can be. Tensors are sorted by name,
 * so that equal weights give equal bytes whatever order their map has.
 */
export function encodeSafetensors(tensors: Weights, metadata: Readonly<Record<string, string>> = {}): readonly Uint8Array[] {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  let offset = 0;
  const entries = sorted.map(([name, { shape, data }]) => {
    const values = shape.reduce((product, size) => product * size, 1);
    if (values !== data.length) throw new Error(`encodeSafetensors: tensor ${name}: expected ${values} values for [${shape.join(', ')}], got ${data.length}`);
    if (name === '__metadata__') throw new Error('encodeSafetensors: expected tensor names other than __metadata__, which the format keeps for itself');
    const begin = offset;
    offset += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, offset] }] as const;
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries])));
  // Spaces bring the data to a multiple of eight, so that other software can map it into memory.
  const header = Buffer.alloc(8 + Math.ceil(json.byteLength / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.byteLength - 8));
  json.copy(header, 8);
  return [header, ...sorted.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/** The tensors of a Hugging Face directory: `model.safetensors`, or the shards that `model.safetensors.index.json` lists. */
export async function readModelTensors(directory: string): Promise<Weights> {
  const indexPath = join(directory, 'model.safetensors.index.json');
  const index = await readFile(indexPath, 'utf8').catch(() => undefined);
  if (index === undefined) return (await readSafetensors(join(directory, 'model.safetensors'))).tensors;
  const shardOf = weightMapOf(index, indexPath);
  const tensors = new Map<string, Tensor>();
  for (const shard of new Set(shardOf.values())) {
    for (const [name, tensor] of (await readSafetensors(join(directory, shard))).tensors) {
      if (shardOf.get(name) !== shard)
        throw new SafetensorsError('badEntry', indexPath, `tensor ${name}: expected it in ${shardOf.get(name) ?? 'no shard'}, found it in ${shard}`);
      tensors.set(name, tensor);
    }
  }
  const missing = [...shardOf.keys()].find((name) => !tensors.has(name));
  if (missing !== undefined)
    throw new SafetensorsError('badEntry', indexPath, `tensor ${missing}: expected it in ${shardOf.get(missing)}, which does not hold it`);
  return tensors;
}

function weightMapOf(index: string, path: string): ReadonlyMap<string, string> {
  let parsed: { weight_map?: unknown } | null;
  try {
    parsed = JSON.parse(index);
  } catch (error) {
    throw new SafetensorsError('headerNotJson', path, (error as Error).message);
  }
  const entries = Object.entries(parsed?.weight_map ?? {});
  const isFileName = (file: unknown) => typeof file === 'string' && file === basename(file) && file.endsWith('.safetensors');
  const wrong = entries.find(([, file]) => !isFileName(file));
  if (entries.length === 0) throw new SafetensorsError('badEntry', path, 'expected weight_map with at least one tensor');
  if (wrong !== undefined)
    throw new SafetensorsError('badEntry', path, `weight_map: expected names of .safetensors files beside the index, got ${JSON.stringify(wrong[1])}`);
  return new Map(entries as [string, string][]);
}
