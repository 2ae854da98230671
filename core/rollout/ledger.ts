/**
 * @file The token ledger of a trajectory: one segment a turn, holding exactly what the sampler saw and drew.
 * Binary form, little-endian: u32 given, u32 sampled, then i32[given], i32[sampled], f32[sampled] log-probabilities.
 */

export interface TokenSegment {
  /** Prompt or observation tokens that came before this turn's sampling. */
  readonly given: Int32Array;
  readonly sampled: Int32Array;
  /** Natural log at temperature 1, one per sampled token. */
  readonly behaviorLogprobs: Float32Array;
}

export function encodeSegment(segment: TokenSegment): Uint8Array {
  const { given, sampled, behaviorLogprobs } = segment;
  if (sampled.length !== behaviorLogprobs.length) {
    throw new Error(`encodeSegment: expected one log-probability per sampled token (${sampled.length}), got ${behaviorLogprobs.length}`);
  }
  const bytes = new Uint8Array(8 + 4 * given.length + 8 * sampled.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, given.length, true);
  view.setUint32(4, sampled.length, true);
  let offset = 8;
  for (const token of given) offset = putInt(view, offset, token);
  for (const token of sampled) offset = putInt(view, offset, token);
  for (const logprob of behaviorLogprobs) {
    view.setFloat32(offset, logprob, true);
    offset += 4;
  }
  return bytes;
}

function putInt(view: DataView, offset: number, value: number): number {
  view.setInt32(offset, value, true);
  return offset + 4;
}

export function decodeSegment(bytes: Uint8Array): TokenSegment {
  if (bytes.byteLength < 8) throw new Error(`decodeSegment: expected at least 8 bytes, got ${bytes.byteLength}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [givenLength, sampledLength] = [view.getUint32(0, true), view.getUint32(4, true)];
  const expected = 8 + 4 * givenLength + 8 * sampledLength;
  if (expected !== bytes.byteLength) throw new Error(`decodeSegment: expected ${expected} bytes for its counts, got ${bytes.byteLength}`);
  const int = (start: number, length: number) => Int32Array.from({ length }, (_, i) => view.getInt32(start + 4 * i, true));
  const logprobStart = 8 + 4 * (givenLength + sampledLength);
  return {
    given: int(8, givenLength),
    sampled: int(8 + 4 * givenLength, sampledLength),
    behaviorLogprobs: Float32Array.from({ length: sampledLength }, (_, i) => view.getFloat32(logprobStart + 4 * i, true)),
  };
}

/** All tokens of a trajectory in order, T of them. */
export function tokensOf(segments: readonly TokenSegment[]): Int32Array {
  const tokens = new Int32Array(segments.reduce((sum, s) => sum + s.given.length + s.sampled.length, 0));
  let offset = 0;
  for (const { given, sampled } of segments) {
    tokens.set(given, offset);
    tokens.set(sampled, offset + given.length);
    offset += given.length + sampled.length;
  }
  return tokens;
}
