/**
 * @file Frames between the host and a box. In: four bytes of length, big-endian, and JSON. Out: the same with a signature between the two, an HMAC-SHA256 over
 * the answer's number (eight bytes, from 0) and its JSON. The key goes into the box after the process has split off from which all code descends, so that code which found
 * a way to the stream could still not write an answer, nor repeat one.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Answer, maxima, parseAnswer, type Request } from './protocol.ts';

const macByteLength = 32;

/** @throws RangeError when the request is larger than the supervisor reads. */
export function encodeRequest(request: Request): Buffer {
  const body = Buffer.from(JSON.stringify(request), 'utf8');
  if (body.byteLength > maxima.requestBytes) {
    throw new RangeError(
      `box: expected a request of at most ${maxima.requestBytes} bytes, got ${body.byteLength} for ${request.op}; send less code, stdin or files`,
    );
  }
  const frame = Buffer.allocUnsafe(4 + body.byteLength);
  frame.writeUInt32BE(body.byteLength, 0);
  body.copy(frame, 4);
  return frame;
}

/** What came out of the box is not the supervisor's. The box is to be destroyed. */
export class ForgedFrame extends Error {
  override readonly name = 'ForgedFrame';
}

/** Collects what comes out of a box and gives back its answers. */
export class AnswerReader {
  readonly #key: Uint8Array;
  #chunks: Buffer[] = [];
  #byteLength = 0;
  #answers = 0n;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** @throws ForgedFrame on a length, signature or content that the supervisor would not send. */
  push(chunk: Buffer): Answer[] {
    this.#chunks.push(chunk);
    this.#byteLength += chunk.byteLength;
    const answers: Answer[] = [];
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) answers.push(this.#open(frame));
    return answers;
  }

  /** The next whole frame without its length. */
  #take(): Buffer | undefined {
    if (this.#byteLength < 4) return undefined;
    // Joined only once the length is known and there, so that a large answer in small chunks is copied once.
    if ((this.#chunks[0] as Buffer).byteLength < 4) this.#join();
    const length = (this.#chunks[0] as Buffer).readUInt32BE(0);
    if (length <= macByteLength || length > maxima.answerBytes) {
      throw new ForgedFrame(`box: expected an answer of ${macByteLength + 1} to ${maxima.answerBytes} bytes, got ${length}`);
    }
    if (this.#byteLength < 4 + length) return undefined;
    const joined = this.#join();
    const rest = joined.subarray(4 + length);
    this.#chunks = rest.byteLength === 0 ? [] : [rest];
    this.#byteLength = rest.byteLength;
    return joined.subarray(4, 4 + length);
  }

  #join(): Buffer {
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #open(frame: Buffer): Answer {
    const body = frame.subarray(macByteLength);
    const number = Buffer.allocUnsafe(8);
    number.writeBigUInt64BE(this.#answers, 0);
    this.#answers += 1n;
    const expected = createHmac('sha256', this.#key).update(number).update(body).digest();
    if (!timingSafeEqual(expected, frame.subarray(0, macByteLength)))
      throw new ForgedFrame('box: expected an answer signed with the key of this box, got another');
    try {
      return parseAnswer(JSON.parse(body.toString('utf8')));
    } catch (error) {
      throw new ForgedFrame((error as Error).message, { cause: error });
    }
  }
}
