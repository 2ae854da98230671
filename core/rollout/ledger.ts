/**
 * @file The token ledger of a trajectory: one segment a turn, holding exactly what the sampler saw and drew.
 * Binary form, little-endian: u32 given, u32 sampled, then i32[given], i32[sampled], f32[sampled] log-probabilities. What quantised weights
 * sampled cannot be trained on: in place of log-probabilities its segment has one byte, their bits.
 */
import { bitsOf } from '../model/quantisation.ts';
import type { QuantisedWeights } from './types.ts';

interface Tokens {
  /** Prompt or observation tokens that came before this turn's sampling. */
  readonly given: Int32Array;
  readonly sampled: Int32Array;
}

/** Sampled by the weights that are trained. */
export interface TokenSegment extends Tokens {
  /** Natural log at temperature 1, one per sampled token. */
  readonly behaviorLogprobs: Float32Array;
}

/** Sampled in an evaluation. */
export interface QuantisedSegment extends Tokens {
  readonly weights: QuantisedWeights;
}

export type Segment = TokenSegment | QuantisedSegment;

export function isQuantised(segment: Segment): segment is QuantisedSegment {
  return 'weights' in segment;
}

export function encodeSegment(segment: Segment): Uint8Array {
  const { given, sampled } = segment;
  const tail = tailOf(segment);
  const tokensEnd = 8 + 4 * (given.length + sampled.length);
  const bytes = new Uint8Array(tokensEnd + tail.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, given.length, true);
  view.setUint32(4, sampled.length, true);
  let offset = 8;
  for (const token of given) offset = putInt(view, offset, token);
  for (const token of sampled) offset = putInt(view, offset, token);
  bytes.set(tail, tokensEnd);
  return bytes;
}

function tailOf(segment: Segment): Uint8Array {
  if (isQuantised(segment)) return Uint8Array.of(bitsOf[segment.weights]);
  const { sampled, behaviorLogprobs } = segment;
  if (sampled.length !== behaviorLogprobs.length) {
    throw new Error(`encodeSegment: expected one log-probability per sampled token (${sampled.length}), got ${behaviorLogprobs.length}`);
  }
  const tail = new Uint8Array(4 * sampled.length);
  const view = new DataView(tail.buffer);
  behaviorLogprobs.forEach((logprob, i) => {
    view.setFloat32(4 * i, logprob, true);
  });
  return tail;
}

function putInt(view: DataView, offset: number, value: number): number {
  view.setInt32(offset, value, true);
  return offset + 4;
}

/** @throws Error when the bytes are no segment, or not all of one. */
export function decodeSegment(bytes: Uint8Array): Segment {
  if (bytes.byteLength < 8) throw new Error(`decodeSegment: expected at least 8 bytes, got ${bytes.byteLength}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [givenLength, sampledLength] = [view.getUint32(0, true), view.getUint32(4, true)];
  const tokensEnd = 8 + 4 * (givenLength + sampledLength);
  const expected = tokensEnd + 4 * sampledLength;
  const int = (start: number, length: number) => Int32Array.from({ length }, (_, i) => view.getInt32(start + 4 * i, true));
  const tokens = () => ({ given: int(8, givenLength), sampled: int(8 + 4 * givenLength, sampledLength) });
  if (bytes.byteLength === tokensEnd + 1) return { ...tokens(), weights: weightsWithBits(view.getUint8(tokensEnd)) };
  if (expected !== bytes.byteLength) throw new Error(`decodeSegment: expected ${expected} bytes for its counts, got ${bytes.byteLength}`);
  return { ...tokens(), behaviorLogprobs: Float32Array.from({ length: sampledLength }, (_, i) => view.getFloat32(tokensEnd + 4 * i, true)) };
}

function weightsWithBits(count: number): QuantisedWeights {
  if (count === bitsOf.int8) return 'int8';
  if (count === bitsOf.int4) return 'int4';
  throw new Error(`decodeSegment: expected weights of ${bitsOf.int8} or ${bitsOf.int4} bits, got ${count}`);
}

/** All tokens of a trajectory in order, T of them. */
export function tokensOf(segments: readonly Tokens[]): Int32Array {
  const tokens = new Int32Array(segments.reduce((sum, s) => sum + s.given.length + s.sampled.length, 0));
  let offset = 0;
  for (const { given, sampled } of segments) {
    tokens.set(given, offset);
    tokens.set(sampled, offset + given.length);
    offset += given.length + sampled.length;
  }
  return tokens;
}
