/** @file Which split a prompt belongs to: a property of its text alone, so that no run can ever train on a held-out task. */
import type { Split } from '../rollout/types.ts';

const buckets = 10_000;

/** CRC-32 of the prompt decides; procedural families hold out one prompt in ten. */
export function splitOf(prompt: string, heldOutFraction = 0.1): Split {
  const crc = crc32(utf8(prompt));
  const heldOut = heldOutFraction === 0.1 ? crc % 10 === 0 : crc % buckets < Math.round(heldOutFraction * buckets);
  return heldOut ? 'heldOut' : 'train';
}

/** CRC-32 (ISO 3309, as in zlib) of some bytes. */
export function crc32(bytes: Iterable<number>): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder >>> 0;
});

/** UTF-8 without TextEncoder, which is not part of the language; lone surrogates become U+FFFD. */
function* utf8(text: string): Generator<number> {
  for (const character of text.toWellFormed()) {
    const point = character.codePointAt(0) as number;
    const continuation = (shift: number) => 0x80 | ((point >> shift) & 0x3f);
    if (point < 0x80) yield point;
    else if (point < 0x800) yield* [0xc0 | (point >> 6), continuation(0)];
    else if (point < 0x10000) yield* [0xe0 | (point >> 12), continuation(6), continuation(0)];
    else yield* [0xf0 | (point >> 18), continuation(12), continuation(6), continuation(0)];
  }
}
