/** @file Safetensors: exact round trips, exact widening, and a named error for whatever a damaged file says. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openModelDirectory, readModelWeights } from '../../activities/checkpoint/modelDirectory.ts';
import { encodeSafetensors, readSafetensors, SafetensorsError } from '../../activities/checkpoint/safetensors.ts';
import type { Tensor } from '../../core/model/config.ts';

const golden = join(process.env['TURNWISE_GOLDEN'] ?? join(import.meta.dirname, '..', 'golden'), 'models');

const tensor: fc.Arbitrary<Tensor> = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
  const length = shape.reduce((product, size) => product * size, 1);
  return fc.float32Array({ minLength: length, maxLength: length }).map((data) => ({ shape, data }));
});
const tensors = fc
  .uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), tensor), { maxLength: 5, selector: ([name]) => name })
  .map((entries) => new Map(entries));
const metadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3, noNullPrototype: true });

test('what is written is read back to the bit', async () => {
  await fc.assert(
    fc.asyncProperty(tensors, metadata, async (written, notes) => {
      const read = await readSafetensors(Buffer.concat(encodeSafetensors(written, notes)));
      expect(read.metadata).toEqual(notes);
      expect([...read.tensors.keys()].sort()).toEqual([...written.keys()].sort());
      for (const [name, { shape, data }] of written) {
        expect(read.tensors.get(name)?.shape).toEqual(shape);
        expect(Buffer.from((read.tensors.get(name) as Tensor).data.buffer).equals(Buffer.from(data.buffer))).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test('equal weights give equal bytes, whatever the order of their map', () => {
  const a = { shape: [2], data: Float32Array.of(1, 2) };
  const b = { shape: [], data: Float32Array.of(3) };
  const forwards = Buffer.concat(
    encodeSafetensors(
      new Map([
        ['a', a],
        ['b', b],
      ]),
      { format: 'pt' },
    ),
  );
  const backwards = Buffer.concat(
    encodeSafetensors(
      new Map([
        ['b', b],
        ['a', a],
      ]),
      { format: 'pt' },
    ),
  );
  expect(forwards.equals(backwards)).toBe(true);
  expect(forwards.readBigUInt64LE() % 8n).toBe(0n);
});

test('damaged bytes give a SafetensorsError or another whole file, never anything else', async () => {
  const whole = Buffer.concat(
    encodeSafetensors(
      new Map([
        ['w', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ['b', { shape: [2], data: Float32Array.of(5, 6) }],
      ]),
    ),
  );
  const damage = fc.oneof(
    fc.record({ at: fc.nat(whole.byteLength - 1), byte: fc.nat(255) }).map(({ at, byte }) => Buffer.from(whole).fill(byte, at, at + 1)),
    fc.nat(whole.byteLength - 1).map((length) => whole.subarray(0, length)),
    fc.uint8Array({ maxLength: 64 }).map((extra) => Buffer.concat([whole, extra])),
  );
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(damage, async (bytes) => {
      try {
        const { tensors: read } = await readSafetensors(bytes);
        expect([...read.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(6);
      } catch (error) {
        expect(error).toBeInstanceOf(SafetensorsError);
        refused += 1;
      }
    }),
    { numRuns: 500 },
  );
  expect(refused).toBeGreaterThan(100);
});

function fileOf(header: unknown, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.byteLength));
  return Buffer.concat([prefix, json, Buffer.alloc(dataBytes)]);
}

const entry = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') => ({ dtype, shape, data_offsets: offsets });

test.each([
  ['truncated', Buffer.alloc(3)],
  ['headerTooLong', Buffer.alloc(8, 0xff)],
  ['truncated', fileOf('{}', 0).fill(9, 0, 1)],
  ['headerNotJson', fileOf('{"a"', 0)],
  ['headerNotJson', fileOf('[1]', 0)],
  ['headerNotJson', fileOf('null', 0)],
  ['duplicateName', fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4)],
  ['badEntry', fileOf({ a: 7 }, 0)],
  ['badEntry', fileOf({ a: entry([-1], [0, 4]) }, 4)],
  ['badEntry', fileOf({ a: entry([1.5], [0, 4]) }, 4)],
  ['badEntry', fileOf({ __metadata__: { a: 1 } }, 0)],
  ['unsupportedDtype', fileOf({ a: entry([1], [0, 8], 'I64') }, 8)],
  ['unsupportedDtype', fileOf({ a: entry([1], [0, 8], 'constructor') }, 8)],
  ['badOffsets', fileOf({ a: entry([1], [4, 0]) }, 4)],
  ['badOffsets', fileOf({ a: entry([1], [0]) }, 4)],
  ['badOffsets', fileOf({ a: entry([1], [0, 4]), b: entry([1], [0, 4]) }, 4)],
  ['badOffsets', fileOf({ a: entry([1], [0, 4]), b: entry([1], [8, 12]) }, 12)],
  ['badOffsets', fileOf({ a: entry([1], [0, 4]) }, 5)],
  ['truncated', fileOf({ a: entry([1_000_000_000_000], [0, 4_000_000_000_000]) }, 4)],
  ['sizeMismatch', fileOf({ a: entry([2 ** 52, 2 ** 52], [0, 4]) }, 4)],
  ['sizeMismatch', fileOf({ a: entry([3], [0, 4], 'BF16') }, 4)],
] as const)('%s is named (case %#)', async (problem, bytes) => {
  await expect(readSafetensors(bytes)).rejects.toMatchObject({ name: 'SafetensorsError', problem });
});

test('all float16 and bfloat16 values are widened exactly', async () => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
  const header = { h: entry([65_536], [0, 131_072], 'F16'), b: entry([65_536], [131_072, 262_144], 'BF16') };
  const file = fileOf(header, 0);
  const { tensors: read } = await readSafetensors(Buffer.concat([file, new Uint8Array(halves.buffer), new Uint8Array(halves.buffer)]));
  const float16 = (bits: number) => {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  };
  const wrong16 = [...(read.get('h') as Tensor).data].findIndex((value, bits) => !Object.is(value, float16(bits)));
  const view = new DataView(new ArrayBuffer(4));
  const wrongBrain = [...(read.get('b') as Tensor).data].findIndex((value, bits) => {
    view.setUint16(0, bits);
    return !Object.is(value, view.getFloat32(0));
  });
  expect([wrong16, wrongBrain]).toEqual([-1, -1]);
});

test('files that other software wrote are read: float32, bfloat16 and shards', async () => {
  const tiny = await readModelWeights(await openModelDirectory(join(golden, 'qwen2-tiny')));
  expect(tiny.get('model.embed_tokens.weight')?.shape).toEqual([320, 64]);
  expect(tiny.size).toBe(26);
  const sharded = await readModelWeights(await openModelDirectory(join(golden, 'qwen3-tiny')));
  const index = JSON.parse(await readFile(join(golden, 'qwen3-tiny', 'model.safetensors.index.json'), 'utf8'));
  expect([...sharded.keys()].sort()).toEqual(Object.keys(index.weight_map).sort());
  const brain = await readModelWeights(await openModelDirectory(join(golden, 'llama-tiny-bf16')));
  const bits = new Uint32Array((brain.get('model.norm.weight') as Tensor).data.buffer);
  expect(bits.every((value) => (value & 0xffff) === 0)).toBe(true);
  expect(bits.some((value) => value !== 0)).toBe(true);
});

test('an index that points out of its directory, or at the wrong shard, is refused', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'turnwise-shards-'));
  try {
    await copyFile(join(golden, 'qwen2-tiny', 'config.json'), join(directory, 'config.json'));
    await writeFile(join(directory, 'one.safetensors'), Buffer.concat(encodeSafetensors(new Map([['a', { shape: [1], data: Float32Array.of(1) }]]))));
    for (const weightMap of [{ a: '../one.safetensors' }, { b: 'one.safetensors' }, { a: 'one.safetensors', b: 'one.safetensors' }, {}]) {
      await writeFile(join(directory, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
      await expect(openModelDirectory(directory)).rejects.toMatchObject({ problem: 'badEntry' });
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
