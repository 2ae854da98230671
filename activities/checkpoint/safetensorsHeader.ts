/**
 * @file The header of a safetensors file: what it says is checked here, completely, before anything is allocated by it.
 * Layout: u64 little-endian header length, JSON header, then the tensors' bytes without a gap.
 */

/** What can be wrong with a file. */
export type SafetensorsProblem =
  | 'missing'
  | 'truncated'
  | 'headerTooLong'
  | 'headerNotJson'
  | 'duplicateName'
  | 'badEntry'
  | 'unsupportedDtype'
  | 'badOffsets'
  | 'sizeMismatch';

/** A file that is not safetensors, or one whose parts contradict each other. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError';
  readonly problem: SafetensorsProblem;

  constructor(problem: SafetensorsProblem, source: string, message: string) {
    super(`${source}: ${message}`);
    this.problem = problem;
  }
}

/** Bytes per value of what we read; all are widened to float32 without loss. */
const byteWidths = { F32: 4, F16: 2, BF16: 2 } as const;
export type Dtype = keyof typeof byteWidths;

export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Offsets into the data section. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the data section starts in the file. */
  readonly dataStart: number;
}

export const lengthPrefixBytes = 8;
/** The limit of the format's reference implementation. */
const maxHeaderBytes = 100_000_000;

/** Length of the JSON header, from the first eight bytes of a file of `fileBytes`. */
export function headerLengthOf(prefix: Uint8Array, fileBytes: number, source: string): number {
  if (fileBytes < lengthPrefixBytes || prefix.byteLength < lengthPrefixBytes) {
    throw new SafetensorsError('truncated', source, `expected at least ${lengthPrefixBytes} bytes, got ${fileBytes}`);
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > maxHeaderBytes) throw new SafetensorsError('headerTooLong', source, `expected a header of at most ${maxHeaderBytes} bytes, got ${length}`);
  if (Number(length) > fileBytes - lengthPrefixBytes) {
    throw new SafetensorsError('truncated', source, `expected ${length} bytes of header, the file has ${fileBytes - lengthPrefixBytes} after the length`);
  }
  return Number(length);
}

export function parseHeader(headerBytes: Uint8Array, fileBytes: number, source: string): SafetensorsHeader {
  const dataStart = lengthPrefixBytes + headerBytes.byteLength;
  const { __metadata__: metadata = {}, ...tensors } = headerObject(headerBytes, source);
  const entries = Object.entries(tensors).map(([name, value]) => entryOf(name, value, source));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let offset = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== offset)
      throw new SafetensorsError(
        'badOffsets',
        source,
        `tensor ${name}: expected its bytes to begin at ${offset}, where the previous tensor ends, got ${begin}`,
      );
    offset = end;
  }
  const dataBytes = fileBytes - dataStart;
  if (offset !== dataBytes) {
    throw new SafetensorsError(
      offset > dataBytes ? 'truncated' : 'badOffsets',
      source,
      `expected ${offset} bytes of tensors after the header, got ${dataBytes}`,
    );
  }
  return { entries, metadata: metadataOf(metadata, source), dataStart };
}

function headerObject(headerBytes: Uint8Array, source: string): Record<string, unknown> {
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(headerBytes);
    header = JSON.parse(text);
  } catch (error) {
    throw new SafetensorsError('headerNotJson', source, `expected a UTF-8 JSON header, got ${(error as Error).message}`);
  }
  if (!isObject(header))
    throw new SafetensorsError('headerNotJson', source, `expected a JSON object as header, got ${Array.isArray(header) ? 'an array' : typeof header}`);
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new SafetensorsError('duplicateName', source, `header: expected every name once, got ${repeated} twice`);
  return header;
}

function entryOf(name: string, value: unknown, source: string): TensorEntry {
  const wrong = (problem: SafetensorsProblem, message: string) => new SafetensorsError(problem, source, `tensor ${name}: ${message}`);
  if (!isObject(value)) throw wrong('badEntry', `expected {dtype, shape, data_offsets}, got ${JSON.stringify(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') throw wrong('badEntry', `expected dtype as a string, got ${JSON.stringify(dtype)}`);
  if (!Object.hasOwn(byteWidths, dtype)) throw wrong('unsupportedDtype', `expected dtype F32, F16 or BF16, got ${dtype}`);
  if (!isSizes(shape)) throw wrong('badEntry', `expected shape as non-negative integers, got ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw wrong('badOffsets', `expected data_offsets as two non-negative integers, got ${JSON.stringify(offsets)}`);
  const [begin, end] = offsets as [number, number];
  if (end < begin) throw wrong('badOffsets', `expected data_offsets in ascending order, got ${begin}, ${end}`);
  const expected = shape.reduce((product, size) => product * size, byteWidths[dtype as Dtype]);
  // Beyond 2^53 the product is inexact, and unequal to any offset that passed the check above.
  if (expected !== end - begin) throw wrong('sizeMismatch', `expected ${expected} bytes for ${dtype} [${shape.join(', ')}], got ${end - begin}`);
  return { name, dtype: dtype as Dtype, shape, begin, end };
}

function metadataOf(value: unknown, source: string): Readonly<Record<string, string>> {
  if (isObject(value) && Object.values(value).every((entry) => typeof entry === 'string')) return value as Record<string, string>;
  throw new SafetensorsError('badEntry', source, '__metadata__: expected an object whose values are strings');
}

/** JSON.parse keeps the last of two equal keys in silence. `text` is known to be JSON. */
function repeatedKey(text: string): string | undefined {
  const seen: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(/[{}]|"(?:[^"\\]|\\.)*"(\s*:)?/g)) {
    if (token === '{') seen.push(new Set());
    else if (token === '}') seen.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      if (seen.at(-1)?.has(key)) return token.slice(0, -colon.length);
      seen.at(-1)?.add(key);
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
