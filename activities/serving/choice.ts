/** @file One choice of an answer: its pieces of text as they are sampled, each with the log-probabilities of its tokens, cut at a stop text. */
import type { SampledToken } from '../../core/model/sampling.ts';
import type { FinishReason } from '../../core/rollout/types.ts';
import type { WatchedToken } from '../policy/decoding/decodingRequest.ts';
import type { PolicyTokenizer } from '../policy/tokenizer/policyTokenizer.ts';
import { GrowingText } from './growingText.ts';
import { StopText } from './stopText.ts';
import type { CalledTool } from './toolCalls.ts';

/** As OpenAI writes a token and its natural log-probability; of `bytes` several tokens may make one character. */
export interface TokenText {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface TokenLogprobs extends TokenText {
  readonly top_logprobs: readonly TokenText[];
}

export interface Piece {
  readonly text: string;
  /** Calls that end with it. */
  readonly calls?: readonly CalledTool[];
  readonly logprobs: readonly TokenLogprobs[];
}

export interface ChoiceEnd {
  readonly piece: Piece;
  readonly finishReason: FinishReason;
  /** Sampled tokens up to the end, that of the turn included. */
  readonly tokens: number;
}

interface WaitingToken {
  readonly sampled: WatchedToken;
  /** Where its text begins and ends in the choice's text. */
  start: number;
  end: number;
}

export class Choice {
  readonly #tokenizer: PolicyTokenizer;
  readonly #growing: GrowingText;
  readonly #stop: StopText;
  /** Tokens whose text is not shown yet. */
  #waiting: WaitingToken[] = [];
  #decoded = 0;
  #shown = 0;
  #tokens = 0;
  #stopped = false;

  constructor(tokenizer: PolicyTokenizer, stops: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#growing = new GrowingText((tokens) => tokenizer.textOf(tokens));
    this.#stop = new StopText(stops);
  }

  /** A stop text was found: what is sampled from now on is not part of the answer. */
  get stopped(): boolean {
    return this.#stopped;
  }

  push(sampled: WatchedToken): Piece {
    if (this.#stopped) return { text: '', logprobs: [] };
    this.#tokens += 1;
    if (this.#tokenizer.endOfTurnIds.has(sampled.token)) return { text: '', logprobs: [] };
    const token = { sampled, start: this.#decoded, end: Number.POSITIVE_INFINITY };
    this.#waiting.push(token);
    const text = this.#growing.push(sampled.token);
    // With it may come the text of tokens before, which were parts of a character.
    token.start += Math.max(0, text.length - this.#tokenizer.textOf([sampled.token]).length);
    return this.#show(text);
  }

  end(finishReason: FinishReason): ChoiceEnd {
    if (this.#stopped) return { piece: { text: '', logprobs: [] }, finishReason: 'stop', tokens: this.#tokens };
    const piece = this.#show(this.#growing.end());
    const rest = this.#stopped ? { text: '', logprobs: [] } : this.#pieceOf(this.#stop.end());
    const whole = { text: piece.text + rest.text, logprobs: [...piece.logprobs, ...rest.logprobs] };
    return { piece: whole, finishReason: this.#stopped ? 'stop' : finishReason, tokens: this.#tokens };
  }

  #show(text: string): Piece {
    if (text !== '') {
      this.#decoded += text.length;
      for (const token of this.#waiting) token.end = Math.min(token.end, this.#decoded);
    }
    const { text: shown, stopped } = this.#stop.push(text);
    this.#stopped = stopped;
    return this.#pieceOf(shown);
  }

  /** The text and its tokens. One that reaches into a stop text belongs to what was shown of it; one that begins with it is left out. */
  #pieceOf(text: string): Piece {
    this.#shown += text.length;
    const isOut = ({ start, end }: WaitingToken) => end <= this.#shown || (this.#stopped && start < this.#shown);
    const count = this.#waiting.findIndex((token) => !isOut(token));
    const out = this.#waiting.splice(0, count === -1 ? this.#waiting.length : count);
    return { text, logprobs: out.map(({ sampled }) => ({ ...this.#textOf(sampled), top_logprobs: sampled.likeliest.map((token) => this.#textOf(token)) })) };
  }

  #textOf({ token, logprob }: SampledToken): TokenText {
    return { token: this.#tokenizer.textOf([token]), logprob, bytes: [...this.#tokenizer.bytesOf(token)] };
  }
}
