/**
 * @file The text of tokens that arrive one by one. A token may hold a part of a character, and some decoders look at the token before: so a
 * token is decoded together with those before it, and shown when the text ends with a whole character.
 */

/** What a decoder writes for bytes that are no character, or not yet. */
const replacement = '\uFFFD';

export class GrowingText {
  readonly #decode: (tokens: readonly number[]) => string;
  /** The last tokens whose text is out, then those whose text is not. */
  #tokens: number[] = [];
  #out = 0;

  constructor(decode: (tokens: readonly number[]) => string) {
    this.#decode = decode;
  }

  /** The text that the token completes; empty while a character is in parts. */
  push(token: number): string {
    this.#tokens.push(token);
    const text = this.#newText();
    return text.endsWith(replacement) ? '' : this.#release(text);
  }

  /** What is left when no token follows. */
  end(): string {
    return this.#release(this.#newText());
  }

  #newText(): string {
    return this.#decode(this.#tokens).slice(this.#decode(this.#tokens.slice(0, this.#out)).length);
  }

  #release(text: string): string {
    this.#tokens = this.#tokens.slice(this.#out);
    this.#out = this.#tokens.length;
    return text;
  }
}
