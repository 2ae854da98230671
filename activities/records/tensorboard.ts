/**
 * @file TensorBoard event files: TFRecord framing (length, masked CRC-32C) around Event messages, encoded by hand because only six fields are used.
 * Field numbers: tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto.
 */
import { maskedCrc32c } from './crc32c.ts';

export interface ScalarEvent {
  readonly step: number;
  readonly wallTimeSeconds: number;
  readonly scalars: Readonly<Record<string, number>>;
}

export interface TextEvent {
  readonly step: number;
  readonly wallTimeSeconds: number;
  readonly tag: string;
  /** Markdown. */
  readonly text: string;
}

export function versionRecord(wallTimeSeconds: number): Buffer {
  return frame(Buffer.concat([double(1, wallTimeSeconds), string(3, 'brain.Event:2')]));
}

export function scalarRecord({ step, wallTimeSeconds, scalars }: ScalarEvent): Buffer {
  const values = Object.entries(scalars).map(([tag, value]) => bytes(1, Buffer.concat([string(1, tag), float(2, value)])));
  return frame(event(step, wallTimeSeconds, Buffer.concat(values)));
}

export function textRecord({ step, wallTimeSeconds, tag, text }: TextEvent): Buffer {
  const stringType = 7;
  const tensor = Buffer.concat([varint(1, stringType), bytes(2, bytes(2, varint(1, 1))), string(8, text)]);
  const metadata = bytes(1, string(1, 'text'));
  return frame(event(step, wallTimeSeconds, bytes(1, Buffer.concat([string(1, tag), bytes(8, tensor), bytes(9, metadata)]))));
}

function event(step: number, wallTimeSeconds: number, summary: Buffer): Buffer {
  return Buffer.concat([double(1, wallTimeSeconds), varint(2, step), bytes(5, summary)]);
}

/** u64 length, masked CRC of the length, content, masked CRC of the content. */
function frame(content: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeBigUInt64LE(BigInt(content.length));
  header.writeUInt32LE(maskedCrc32c(header.subarray(0, 8)), 8);
  const footer = Buffer.alloc(4);
  footer.writeUInt32LE(maskedCrc32c(content));
  return Buffer.concat([header, content, footer]);
}

function varint(field: number, value: number): Buffer {
  return Buffer.concat([plainVarint(field << 3), plainVarint(value)]);
}

function double(field: number, value: number): Buffer {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(value);
  return Buffer.concat([plainVarint((field << 3) | 1), content]);
}

function float(field: number, value: number): Buffer {
  const content = Buffer.alloc(4);
  content.writeFloatLE(value);
  return Buffer.concat([plainVarint((field << 3) | 5), content]);
}

function string(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value, 'utf8'));
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([plainVarint((field << 3) | 2), plainVarint(content.length), content]);
}

function plainVarint(value: number): Buffer {
  const digits: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 128);
  return Buffer.from([...digits, rest]);
}
