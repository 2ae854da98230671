/** @file POST /v1/chat/completions: samples the choices of one request side by side and writes them, whole or as a stream of events. */
import { randomInt } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ToolDefinition } from '../../core/tasks/chat.ts';
import { ApiError, apiErrorOf } from './apiError.ts';
import { CalledPieces } from './calledPieces.ts';
import { type ChatRequest, parseChatRequest } from './chatRequest.ts';
import type { ChoiceEnd, Piece } from './choice.ts';
import { Completion, usageOf } from './completion.ts';
import { promptTokens, type ServedPolicy, sampleChoice } from './servedPolicy.ts';

/** How many choices are being sampled; a limit keeps those that wait from piling up. */
export class Admission {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** @throws ApiError (503, which clients try again) when the choices do not fit. */
  async admit<T>(choices: number, work: () => Promise<T>): Promise<T> {
    if (this.#taken + choices > this.#limit) {
      const message = `server: expected at most ${this.#limit} choices at a time, ${this.#taken} are being sampled; try again`;
      throw new ApiError({ status: 503, message, code: 'overloaded' });
    }
    this.#taken += choices;
    try {
      return await work();
    } finally {
      this.#taken -= choices;
    }
  }
}

/** @throws ApiError as long as nothing was written; `signal` fires when the client is gone or the server ends. */
export async function answerChat(policy: ServedPolicy, admission: Admission, body: unknown, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const request = parseChatRequest(body);
  if (request.model !== policy.name) {
    const message = `model: expected ${policy.name}, the only one here, got ${JSON.stringify(request.model)}`;
    throw new ApiError({ status: 404, message, code: 'model_not_found', param: 'model' });
  }
  const seeded = { ...request, seed: request.seed ?? randomInt(2 ** 32) };
  const context = promptTokens(policy, request);
  await admission.admit(request.choices, () => (request.stream ? answerStream : answerWhole)(policy, seeded, context, response, signal));
}

type Seeded = ChatRequest & { readonly seed: number };

async function answerWhole(policy: ServedPolicy, request: Seeded, context: Int32Array, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const completion = new Completion(policy, request);
  const choices = await sampleAll(policy, request, context, signal, () => undefined);
  const usage = usageOf(
    context.length,
    choices.map(({ end }) => end),
  );
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion.whole(choices, usage)));
}

async function answerStream(policy: ServedPolicy, request: Seeded, context: Int32Array, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const completion = new Completion(policy, request);
  const send = (event: object) => response.write(`data: ${JSON.stringify(event)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' });
  for (let index = 0; index < request.choices; index++) send(completion.opening(index));
  try {
    const show = (index: number, piece: Piece) => {
      for (const chunk of completion.pieces(index, piece)) send(chunk);
    };
    const ended = (index: number, end: ChoiceEnd) => {
      if (isSeen(end.piece)) show(index, end.piece);
      send(completion.ending(index, end));
    };
    const choices = await sampleAll(policy, request, context, signal, show, ended);
    const ends = choices.map(({ end }) => end);
    if (request.includeUsage) send(completion.usage(usageOf(context.length, ends)));
    response.end('data: [DONE]\n\n');
  } catch (error) {
    // The status line is out: the client reads the error as an event.
    send(apiErrorOf(error).body);
    response.end();
  }
}

/** When one choice fails, the others end too. */
async function sampleAll(
  policy: ServedPolicy,
  request: Seeded,
  context: Int32Array,
  signal: AbortSignal,
  show: (index: number, piece: Piece) => void,
  ended: (index: number, end: ChoiceEnd) => void = () => undefined,
) {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const choices = Array.from({ length: request.choices }, async (_, index) => {
    const pieces: Piece[] = [];
    const called = new CalledPieces(request.tools && policy.toolFormat, toolNames(request.tools));
    const sampled = await sampleChoice(policy, request, { context, index }, either, (given) => {
      const piece = called.push(given);
      pieces.push(piece);
      if (isSeen(piece)) show(index, piece);
    });
    const end = called.end(sampled);
    ended(index, end);
    return { pieces, end };
  });
  return Promise.all(choices).catch((error: unknown) => {
    failed.abort(error);
    throw error;
  });
}

function isSeen({ text, logprobs, calls = [] }: Piece): boolean {
  return text !== '' || logprobs.length > 0 || calls.length > 0;
}

/** The request was parsed: every tool is a function with a name. */
function toolNames(tools: readonly ToolDefinition[] = []): string[] {
  return tools.map((tool) => (tool['function'] as { readonly name: string }).name);
}
