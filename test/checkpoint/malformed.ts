/** @file Mutations of the files of a model directory: bytes, numbers, keys and lengths, changed by a seeded hand. */
import { randomOf } from '../../core/random.ts';

type Random = ReturnType<typeof randomOf>;

const numbers = ['0', '-1', '1e308', '4294967296', '18446744073709551615', '0.5', 'null', '"x"', '[]', '{}', 'true'];

/** What becomes of a file's bytes; the same seed makes the same file. */
export function mutated(bytes: Uint8Array, seed: number): Uint8Array {
  const random = randomOf(seed);
  const changes: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [flipped, cut, doubled, renumbered, relengthened, emptied];
  const change = changes[random.integer(0, changes.length - 1)] as (typeof changes)[number];
  return change(Uint8Array.from(bytes), random);
}

function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  for (let i = random.integer(1, 8); i > 0; i--) bytes[random.integer(0, Math.min(bytes.length, 4096) - 1)] = random.integer(0, 255);
  return bytes;
}

function cut(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random.integer(0, bytes.length));
}

function doubled(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(0, bytes.length - 1);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.integer(1, 400)))]);
}

/** One number of the text becomes another value. */
function renumbered(bytes: Uint8Array, random: Random): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const found = [...text.slice(0, 8192).matchAll(/\d+(\.\d+)?/g)];
  const chosen = found[random.integer(0, Math.max(0, found.length - 1))];
  if (chosen === undefined) return bytes;
  const value = numbers[random.integer(0, numbers.length - 1)] as string;
  return Buffer.from(text.slice(0, chosen.index) + value + text.slice(chosen.index + chosen[0].length), 'latin1');
}

/** A header length of safetensors that promises anything. */
function relengthened(bytes: Uint8Array, random: Random): Uint8Array {
  const lengths = [0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 99_999_999n, BigInt(bytes.length), BigInt(random.integer(0, 5000))];
  if (bytes.length >= 8) Buffer.from(bytes.buffer).writeBigUInt64LE(lengths[random.integer(0, lengths.length - 1)] as bigint);
  return bytes;
}

function emptied(_: Uint8Array, random: Random): Uint8Array {
  return Buffer.from(['', '{}', '[]', 'null', '"', '['.repeat(100_000)][random.integer(0, 5)] as string);
}
