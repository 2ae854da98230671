/** @file A file's record as bytes: a checksum, JSON for what people wrote, and the postings as they lie in memory. */
import { crc32 } from 'node:zlib';
import type { FileRecord } from '../../../core/scout/fileRecord.ts';

/** Checksum of what follows, length of the JSON in bytes. */
const headerBytes = 8;

export function encodeRecord({ postings, ...rest }: FileRecord): Uint8Array<ArrayBuffer> {
  const json = Buffer.from(JSON.stringify(rest), 'utf8');
  // Postings begin at an even offset, so that they can be viewed in place.
  const postingsStart = headerBytes + json.length + (json.length % 2);
  const bytes = new Uint8Array(postingsStart + postings.byteLength);
  bytes.set(json, headerBytes);
  bytes.set(new Uint8Array(postings.buffer, postings.byteOffset, postings.byteLength), postingsStart);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, json.length, true);
  view.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** undefined: torn or changed since it was written. */
export function decodeRecord(bytes: Uint8Array): FileRecord | undefined {
  if (bytes.byteLength < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== crc32(bytes.subarray(4))) return undefined;
  const length = view.getUint32(4, true);
  const json = Buffer.from(bytes.buffer, bytes.byteOffset + headerBytes, length).toString('utf8');
  // Copied: a Buffer from the disk may lie anywhere in a larger one, and its `slice` is a view.
  const stored = bytes.subarray(headerBytes + length + (length % 2));
  const postings = new Uint16Array(stored.byteLength / 2);
  new Uint8Array(postings.buffer).set(stored);
  return { ...(JSON.parse(json) as Omit<FileRecord, 'postings'>), postings };
}
