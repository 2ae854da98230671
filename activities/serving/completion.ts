/** @file Answers in the shapes of OpenAI's chat completions: one object, or chunks of a stream. */
import { randomUUID } from 'node:crypto';
import type { ChatRequest } from './chatRequest.ts';
import type { ChoiceEnd, Piece } from './choice.ts';
import type { ServedPolicy } from './servedPolicy.ts';
import type { CalledTool } from './toolCalls.ts';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function usageOf(promptTokens: number, ends: readonly ChoiceEnd[]): Usage {
  const sampled = ends.reduce((sum, { tokens }) => sum + tokens, 0);
  return { prompt_tokens: promptTokens, completion_tokens: sampled, total_tokens: promptTokens + sampled };
}

function fingerprintOf({ key, weights = 'float32' }: ServedPolicy['directory']): string {
  return `fp_${(weights === 'float32' ? key : `${weights}-${key}`).slice(0, 16)}`;
}

export class Completion {
  readonly #head: { readonly id: string; readonly created: number; readonly model: string; readonly system_fingerprint: string };
  readonly #withLogprobs: boolean;
  readonly #includeUsage: boolean;
  /** Calls of each choice so far: clients put their parts together by this number. */
  readonly #called = new Map<number, number>();

  /** The fingerprint names the weights: an answer with the same seed is the same as long as it is. */
  constructor({ name, directory }: ServedPolicy, { likeliest, includeUsage }: ChatRequest) {
    const created = Math.floor(Date.now() / 1000);
    this.#head = { id: `chatcmpl-${randomUUID()}`, created, model: name, system_fingerprint: fingerprintOf(directory) };
    this.#withLogprobs = likeliest !== undefined;
    this.#includeUsage = includeUsage;
  }

  whole(choices: readonly { readonly pieces: readonly Piece[]; readonly end: ChoiceEnd }[], usage: Usage): object {
    return {
      ...this.#head,
      object: 'chat.completion',
      choices: choices.map(({ pieces, end }, index) => {
        const all = [...pieces, end.piece];
        const text = all.map((piece) => piece.text).join('');
        const calls = all.flatMap((piece) => piece.calls ?? []);
        const called = calls.length === 0 ? {} : { tool_calls: calls.map(toolCall) };
        const message = { role: 'assistant', content: text === '' && calls.length > 0 ? null : text, refusal: null, ...called };
        return { index, message, logprobs: this.#logprobs(all), finish_reason: finishReasonOf(end, calls.length) };
      }),
      usage,
    };
  }

  opening(index: number): object {
    return this.#chunk(index, { role: 'assistant', content: '', refusal: null }, null, null);
  }

  /** Its text, then each call in two parts: which function, and its arguments. */
  pieces(index: number, piece: Piece): object[] {
    const { text, logprobs, calls = [] } = piece;
    const said = text === '' && logprobs.length === 0 ? [] : [this.#chunk(index, { content: text }, this.#logprobs([piece]), null)];
    return [...said, ...calls.flatMap((call) => this.#callChunks(index, call))];
  }

  ending(index: number, end: ChoiceEnd): object {
    return this.#chunk(index, {}, null, finishReasonOf(end, this.#called.get(index) ?? 0));
  }

  #callChunks(choice: number, call: CalledTool): object[] {
    const index = this.#called.get(choice) ?? 0;
    this.#called.set(choice, index + 1);
    const { function: called, ...head } = toolCall(call);
    const deltas = [
      { index, ...head, function: { ...called, arguments: '' } },
      { index, function: { arguments: call.arguments } },
    ];
    return deltas.map((delta) => this.#chunk(choice, { tool_calls: [delta] }, null, null));
  }

  usage(usage: Usage): object {
    return { ...this.#head, object: 'chat.completion.chunk', choices: [], usage };
  }

  #chunk(index: number, delta: object, logprobs: object | null, finishReason: string | null): object {
    const choices = [{ index, delta, logprobs, finish_reason: finishReason }];
    return { ...this.#head, object: 'chat.completion.chunk', choices, ...(this.#includeUsage && { usage: null }) };
  }

  #logprobs(pieces: readonly Piece[]): object | null {
    return this.#withLogprobs ? { content: pieces.flatMap(({ logprobs }) => logprobs), refusal: null } : null;
  }
}

function toolCall(call: CalledTool) {
  return { id: `call_${randomUUID().replaceAll('-', '')}`, type: 'function', function: call };
}

/** A turn that ran out of length may have called nonetheless; clients must know that it did. */
function finishReasonOf({ finishReason }: ChoiceEnd, calls: number): string {
  return calls > 0 && finishReason === 'stop' ? 'tool_calls' : finishReason;
}
