/** @file The JSON body of a request, read up to a limit. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from './apiError.ts';

/** @throws ApiError when it is too large, not declared as JSON, or no JSON. */
export async function readJsonBody(request: IncomingMessage, byteLimit: number): Promise<unknown> {
  const type = request.headers['content-type'] ?? '';
  // A web page cannot send this type to a server that does not invite it, so no page can use a server on loopback.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new ApiError({ status: 415, message: `content-type: expected application/json, got ${JSON.stringify(type)}`, code: 'unsupported_media_type' });
  }
  const text = (await bytesOf(request, byteLimit)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError({ status: 400, message: `body: expected JSON, got ${(error as Error).message}`, code: 'invalid_json' });
  }
}

async function bytesOf(request: IncomingMessage, byteLimit: number): Promise<Buffer> {
  const tooLarge = new ApiError({ status: 413, message: `body: expected at most ${byteLimit} bytes; shorten the conversation`, code: 'request_too_large' });
  if (Number(request.headers['content-length'] ?? 0) > byteLimit) throw tooLarge;
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > byteLimit) throw tooLarge;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
