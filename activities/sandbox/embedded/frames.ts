/** @file Length-prefixed JSON frames on a byte stream, with a limit on their size. Spoken between a sandbox worker and its interpreter processes. */

/** Largest frame either side accepts. A cell's code and its capped output both fit with room to spare. */
export const frameByteLimit = 16 * 1024 * 1024;

export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  if (body.byteLength > frameByteLimit) throw new RangeError(`frame: expected at most ${frameByteLimit} bytes, got ${body.byteLength}`);
  const frame = Buffer.allocUnsafe(4 + body.byteLength);
  frame.writeUInt32BE(body.byteLength, 0);
  body.copy(frame, 4);
  return frame;
}

/** Collects chunks and gives back whole frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #byteLength = 0;

  /** @throws RangeError on a frame above the limit, SyntaxError on one that is not JSON. */
  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk);
    this.#byteLength += chunk.byteLength;
    const messages: unknown[] = [];
    for (let body = this.#take(); body !== undefined; body = this.#take()) messages.push(JSON.parse(body.toString('utf8')));
    return messages;
  }

  #take(): Buffer | undefined {
    if (this.#byteLength < 4) return undefined;
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const length = joined.readUInt32BE(0);
    if (length > frameByteLimit) throw new RangeError(`frame: expected at most ${frameByteLimit} bytes, got ${length}`);
    const whole = joined.byteLength >= 4 + length;
    const rest = whole ? joined.subarray(4 + length) : joined;
    this.#chunks = rest.byteLength === 0 ? [] : [rest];
    this.#byteLength = rest.byteLength;
    return whole ? joined.subarray(4, 4 + length) : undefined;
  }
}
