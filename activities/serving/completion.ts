/** @file Answers in the shapes of OpenAI's chat completions: one object, or chunks of a stream. */
import { randomUUID } from 'node:crypto';
import type { ChatRequest } from './chatRequest.ts';
import type { ChoiceEnd, Piece } from './choice.ts';
import type { ServedPolicy } from './servedPolicy.ts';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function usageOf(promptTokens: number, ends: readonly ChoiceEnd[]): Usage {
  const sampled = ends.reduce((sum, { tokens }) => sum + tokens, 0);
  return { prompt_tokens: promptTokens, completion_tokens: sampled, total_tokens: promptTokens + sampled };
}

export class Completion {
  readonly #head: { readonly id: string; readonly created: number; readonly model: string; readonly system_fingerprint: string };
  readonly #withLogprobs: boolean;
  readonly #includeUsage: boolean;

  /** The fingerprint names the weights: an answer with the same seed is the same as long as it is. */
  constructor({ name, directory }: ServedPolicy, { likeliest, includeUsage }: ChatRequest) {
    const created = Math.floor(Date.now() / 1000);
    this.#head = { id: `chatcmpl-${randomUUID()}`, created, model: name, system_fingerprint: `fp_${directory.key.slice(0, 16)}` };
    this.#withLogprobs = likeliest !== undefined;
    this.#includeUsage = includeUsage;
  }

  whole(choices: readonly { readonly pieces: readonly Piece[]; readonly end: ChoiceEnd }[], usage: Usage): object {
    return {
      ...this.#head,
      object: 'chat.completion',
      choices: choices.map(({ pieces, end }, index) => {
        const all = [...pieces, end.piece];
        const content = all.map(({ text }) => text).join('');
        return { index, message: { role: 'assistant', content, refusal: null }, logprobs: this.#logprobs(all), finish_reason: end.finishReason };
      }),
      usage,
    };
  }

  opening(index: number): object {
    return this.#chunk(index, { role: 'assistant', content: '', refusal: null }, null, null);
  }

  piece(index: number, piece: Piece): object {
    return this.#chunk(index, { content: piece.text }, this.#logprobs([piece]), null);
  }

  ending(index: number, { finishReason }: ChoiceEnd): object {
    return this.#chunk(index, {}, null, finishReason);
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
