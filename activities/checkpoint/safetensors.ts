/**
 * @file Reading and writing safetensors (https://huggingface.co/docs/safetensors): float32 in memory, whatever the file's dtype.
 * Files are read tensor by tensor, so that memory holds the weights once. Little-endian hosts, as the format and all our targets are.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Tensor, Weights } from '../../core/model/config.ts';
import { isFileError } from '../artifacts/diskFull.ts';
import { headerLengthOf, lengthPrefixBytes, parseHeader, SafetensorsError, type SafetensorsHeader, type TensorEntry } from './safetensorsHeader.ts';

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
  if (typeof source === 'string') return withFile(source, (readInto, size) => readFrom(readInto, size, source));
  return readFrom(async (target, offset) => target.set(source.subarray(offset, offset + target.byteLength)), source.byteLength, 'safetensors');
}

/** What a file says of its tensors, without reading them. */
export function readHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, (readInto, size) => headerFrom(readInto, size, path));
}

/** Some tensors of a file whose header has been read; `offset` is where a tensor begins in the file. */
export function readTensors(path: string, wanted: readonly (TensorEntry & { readonly offset: number })[]): Promise<Weights> {
  return withFile(path, async (readInto) => {
    const tensors = new Map<string, Tensor>();
    for (const entry of wanted) tensors.set(entry.name, await readTensor(readInto, entry.offset, entry));
    return tensors;
  });
}

/** @throws SafetensorsError when there is no plain file: a pipe, for one, would never end. */
async function withFile<T>(path: string, work: (readInto: ReadInto, size: number) => Promise<T>): Promise<T> {
  const found = await stat(path).catch((error: unknown) => {
    if (isFileError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (!found?.isFile()) throw new SafetensorsError('missing', path, 'expected a safetensors file, found none');
  const file = await open(path, 'r');
  try {
    return await work((target, offset) => readFully(file, target, offset, path), (await file.stat()).size);
  } finally {
    await file.close();
  }
}

async function headerFrom(readInto: ReadInto, fileBytes: number, source: string): Promise<SafetensorsHeader> {
  const prefix = new Uint8Array(Math.min(lengthPrefixBytes, fileBytes));
  await readInto(prefix, 0);
  const headerBytes = new Uint8Array(headerLengthOf(prefix, fileBytes, source));
  await readInto(headerBytes, lengthPrefixBytes);
  return parseHeader(headerBytes, fileBytes, source);
}

async function readFrom(readInto: ReadInto, fileBytes: number, source: string): Promise<Safetensors> {
  const { entries, metadata, dataStart } = await headerFrom(readInto, fileBytes, source);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries) tensors.set(entry.name, await readTensor(readInto, dataStart + entry.begin, entry));
  return { tensors, metadata };
}

async function readTensor(readInto: ReadInto, offset: number, { dtype, shape, begin, end }: TensorEntry): Promise<Tensor> {
  const bytes = new Uint8Array(end - begin);
  await readInto(bytes, offset);
  if (dtype === 'F32') return { shape, data: new Float32Array(bytes.buffer) };
  const halves = new Uint16Array(bytes.buffer);
  return { shape, data: dtype === 'BF16' ? widenBfloat16(halves) : widenFloat16(halves) };
}

async function readFully(file: FileHandle, target: Uint8Array, offset: number, source: string): Promise<void> {
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
  for (const [name, { shape, data }] of sorted) {
    const values = valuesOf(shape);
    if (values !== data.length) throw new Error(`encodeSafetensors: tensor ${name}: expected ${values} values for [${shape.join(', ')}], got ${data.length}`);
    if (name === '__metadata__') throw new Error('encodeSafetensors: expected tensor names other than __metadata__, which the format keeps for itself');
  }
  const header = encodeHeader(
    sorted.map(([name, { shape }]) => ({ name, shape })),
    metadata,
  );
  return [header, ...sorted.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/** The beginning of a file of F32 tensors that follow one another in this order. */
export function encodeHeader(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const begin = offset;
    offset += 4 * valuesOf(shape);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, offset] }] as const;
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries])));
  // Spaces bring the data to a multiple of eight, so that other software can map it into memory.
  const header = Buffer.alloc(8 + Math.ceil(json.byteLength / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.byteLength - 8));
  json.copy(header, 8);
  return header;
}

function valuesOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
