/**
 * @file The tokenizer of a policy: a Hugging Face tokenizer.json and its chat template, used so that only the template makes special tokens.
 *
 * A trajectory is tokenised once and piece by piece: the prompt, then after every sampled turn exactly what the template puts between that
 * turn's end and the next generation prompt. That equals the tokens of the whole conversation only when the template never rewrites what it
 * printed before, so loading a directory checks it.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import type { Chat, ChatMessage } from '../../../core/tasks/chat.ts';
import { alternation } from './alternation.ts';
import { assistantTurns, cutParts } from './assistantTurns.ts';
import { ChatTemplate, type RenderedPart } from './chatTemplate.ts';
import { type AddedToken, readTokenizerDirectory, type TokenizerDirectory, type TokenizerJson } from './directory.ts';
import { assertPrefixPreserving } from './prefixPreservation.ts';
import { tokenBytes } from './tokenBytes.ts';

type Piece = { readonly special: AddedToken } | { readonly text: string };

export class PolicyTokenizer {
  /** Sampled by the policy where its turn ends. */
  readonly endOfTurn: number;
  /** Any of these ends a turn: the template's end of turn and the ids of generation_config.json. */
  readonly endOfTurnIds: ReadonlySet<number>;
  readonly padId: number;
  /** Ids are below this. The model's embedding may have more rows. */
  readonly vocabSize: number;
  readonly template: ChatTemplate;

  readonly #files: TokenizerJson;
  readonly #marked: Tokenizer;
  readonly #plain: Tokenizer;
  readonly #addedTokens: ReadonlyMap<string, AddedToken>;
  readonly #addedPattern: RegExp | null;

  static async load(directory: string): Promise<PolicyTokenizer> {
    return new PolicyTokenizer(await readTokenizerDirectory(directory));
  }

  /** `files` by name, as `buildTokenizer` makes them. */
  static async of(files: Readonly<Record<string, string>>): Promise<PolicyTokenizer> {
    return new PolicyTokenizer(await readTokenizerDirectory('built tokenizer', async (name) => files[name]));
  }

  constructor(directory: TokenizerDirectory) {
    const { tokenizer, config } = directory;
    // The library looks for the unknown token of a WordLevel vocabulary in the configuration only.
    const settings = { ...config, unk_token: tokenizer.model.unk_token };
    const markup = tokenizer.added_tokens.filter((token) => !isWord(token, tokenizer));
    this.#files = tokenizer;
    this.#marked = new Tokenizer(tokenizer, settings);
    this.#plain = new Tokenizer(withoutMarkup(tokenizer, markup), settings);
    this.#addedTokens = new Map(markup.map((token) => [token.content, token]));
    this.#addedPattern = this.#addedTokens.size === 0 ? null : new RegExp(`(${alternation([...this.#addedTokens.keys()])})`, 'u');
    this.template = new ChatTemplate(directory.template, {
      bos_token: config.bos_token ?? '',
      eos_token: config.eos_token ?? '',
      pad_token: config.pad_token ?? '',
    });
    assertPrefixPreserving(this.template, directory.path);
    this.endOfTurn = this.#endOfTurn(directory.path);
    this.endOfTurnIds = new Set([this.endOfTurn, ...directory.endTokenIds]);
    this.padId = this.#addedTokens.get(config.pad_token ?? config.eos_token ?? '')?.id ?? this.endOfTurn;
    this.vocabSize = Math.max(...vocabularyIds(tokenizer)) + 1;
  }

  /** The conversation's tokens up to and with the generation prompt. */
  encodePrompt(messages: readonly ChatMessage[], tools?: Chat['tools']): Int32Array {
    const isPlain = messages.every(({ tool_calls: calls, name, tool_call_id: answers }) => calls === undefined && name === undefined && answers === undefined);
    if (tools === undefined && isPlain) return this.#encodeParts(this.template.parts(messages, true));
    const chat = { messages, ...(tools && { tools }) };
    this.#refuseMarkup(chat);
    return this.#encodeParts(this.#chatParts(chat, true));
  }

  /** All tokens of a conversation, as `apply_chat_template` gives them for texts that hold no special token. */
  encodeConversation(messages: readonly ChatMessage[]): Int32Array {
    return this.#encodeParts(this.template.parts(messages, false));
  }

  /**
   * A whole conversation, and which of its tokens the assistant wrote. Cut where a turn begins and ends, so that its tokens are those that a
   * policy samples after the prompt; in what it writes, added tokens that are not special (such as `<think>`) are recognised.
   * @throws Error when the template cannot tell what the assistant wrote.
   */
  encodeChat(chat: Chat): { readonly tokens: Int32Array; readonly sampledMask: Uint8Array } {
    this.#refuseMarkup(chat);
    const written = assistantTurns(this.template, chat, this.decode([this.endOfTurn]));
    const stretches = cutParts(this.#chatParts(chat, false), written);
    const encoded = stretches.map(({ parts, isWritten }) => ({ tokens: this.#encodeParts(parts, isWritten), isWritten }));
    return {
      tokens: Int32Array.from(encoded.flatMap(({ tokens }) => [...tokens])),
      sampledMask: Uint8Array.from(encoded.flatMap(({ tokens, isWritten }) => Array.from(tokens, () => Number(isWritten)))),
    };
  }

  /**
   * What comes between a sampled turn and the next one: the tokens after the end-of-turn token, up to and with the generation prompt.
   * `turnEnded` false: the turn ran out of length, the policy never sampled its end-of-turn token; then that token is given here, first, so
   * that the conversation stays well formed while nothing that was not sampled counts as sampled.
   */
  encodeObservation(observation: string, turnEnded = true): Int32Array {
    const pieces = this.#pieces(this.#afterAssistant({ role: 'tool', content: observation }));
    const tokens = this.#encodePieces(pieces);
    return turnEnded ? tokens.slice(1) : tokens;
  }

  /** A turn as the policy would sample it: the tokens of its text, then the end of turn. For demonstrations. */
  encodeTurn(text: string): Int32Array {
    return Int32Array.from([...this.encodeText(text), this.endOfTurn]);
  }

  /** Tokens of text that is never markup. */
  encodeText(text: string): Int32Array {
    return text === '' ? new Int32Array() : Int32Array.from(this.#plain.encode(text, { add_special_tokens: false }).ids);
  }

  /** Tokens of markup: special tokens in it are recognised. Never give it text that came from outside. */
  encodeMarkup(markup: string): Int32Array {
    return Int32Array.from(this.#marked.encode(markup, { add_special_tokens: false }).ids);
  }

  /** Text of tokens, special tokens spelled out. */
  decode(tokens: Iterable<number>): string {
    const ids = [...tokens];
    return ids.length === 0 ? '' : this.#marked.decode(ids, { skip_special_tokens: false });
  }

  /** Text of a sampled turn, without the end-of-turn token. */
  decodeTurn(tokens: Int32Array): string {
    const ended = tokens.length > 0 && this.endOfTurnIds.has(tokens[tokens.length - 1] as number);
    return this.decode(ended ? tokens.subarray(0, -1) : tokens);
  }

  /** The text of tokens as they are. `decode` also takes the space before a full stop or comma away where the tokenizer's files ask for it. */
  textOf(tokens: readonly number[]): string {
    return tokens.length === 0 ? '' : this.#marked.decode([...tokens], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }

  /** The bytes that a token stands for, perhaps only a part of a character; none for an id that the vocabulary lacks. */
  bytesOf(token: number): Uint8Array {
    const added = this.#files.added_tokens.find(({ id }) => id === token);
    return added ? Buffer.from(added.content) : tokenBytes(this.#marked.id_to_token(token) ?? '', this.#files);
  }

  #encodeParts(parts: readonly RenderedPart[], isWritten = false): Int32Array {
    return this.#encodePieces(this.#pieces(parts, isWritten));
  }

  /** Templates with tools print some contents as JSON. Those cannot be told from the template's own text, and need not be while no special token is in them. */
  #chatParts({ messages, tools }: Chat, addGenerationPrompt: boolean): readonly RenderedPart[] {
    try {
      return this.template.parts(messages, addGenerationPrompt, tools);
    } catch (error) {
      if (messages.some(({ content }) => this.#addedPattern?.test(content))) throw error;
      return [{ kind: 'template', text: this.template.text(messages, addGenerationPrompt, tools) }];
    }
  }

  /** Calls and definitions of tools become text of the template, in which special tokens are recognised. */
  #refuseMarkup({ messages, tools }: Chat): void {
    const called = messages.flatMap(({ name, tool_calls, tool_call_id }) => [name, tool_calls, tool_call_id]);
    const text = JSON.stringify([called, tools]);
    const found = [...this.#addedTokens.values()].find(({ special, content }) => special && text.includes(JSON.stringify(content).slice(1, -1)));
    if (found !== undefined) throw new Error(`tools and their calls: expected no special token in names, arguments and definitions, got ${found.content}`);
  }

  /** Cuts the template's own text at added tokens; text between two of them is tokenised as one, contents included. */
  #pieces(parts: readonly RenderedPart[], isWritten = false): Piece[] {
    const pieces: Piece[] = [];
    const append = (text: string) => {
      if (text === '') return;
      const last = pieces.at(-1);
      if (last !== undefined && 'text' in last) pieces[pieces.length - 1] = { text: last.text + text };
      else pieces.push({ text });
    };
    for (const part of parts) {
      const isText = part.kind === 'content';
      if ((isText && !isWritten) || this.#addedPattern === null) append(part.text);
      else {
        for (const piece of part.text.split(this.#addedPattern)) {
          const special = this.#addedTokens.get(piece);
          if (special === undefined || (isText && special.special)) append(piece);
          else pieces.push({ special });
        }
      }
    }
    return pieces;
  }

  #encodePieces(pieces: readonly Piece[]): Int32Array {
    const ids: number[] = [];
    pieces.forEach((piece, i) => {
      if ('special' in piece) ids.push(piece.special.id);
      else ids.push(...this.encodeText(strippedText(piece.text, pieces[i - 1], pieces[i + 1])));
    });
    return Int32Array.from(ids);
  }

  /** What the template prints after an assistant's content, when `next` follows and the assistant speaks again. */
  #afterAssistant(next: ChatMessage): RenderedPart[] {
    const marker = '\uE0F2';
    const parts = this.template.parts([{ role: 'user', content: 'u' }, { role: 'assistant', content: marker }, next], true);
    const turn = parts.findIndex((part) => part.kind === 'content' && part.text === marker);
    return parts.slice(turn + 1);
  }

  #endOfTurn(path: string): number {
    const first = this.#pieces(this.#afterAssistant({ role: 'tool', content: 't' }))[0];
    if (first === undefined || !('special' in first)) {
      const got = first === undefined ? 'nothing' : JSON.stringify(first.text);
      throw new Error(
        `${path}: expected the chat template to end an assistant's turn with one special token, got ${got}; without it the policy cannot end a turn`,
      );
    }
    return first.special.id;
  }
}

/** Special tokens that eat the whitespace beside them (`lstrip`, `rstrip`). */
function strippedText(text: string, before: Piece | undefined, after: Piece | undefined): string {
  const start = before !== undefined && 'special' in before && before.special.rstrip ? text.trimStart() : text;
  return after !== undefined && 'special' in after && after.special.lstrip ? start.trimEnd() : start;
}

/**
 * Added tokens are markup that only the template makes. Apart from those of a BPE without merges: it has no words but its added tokens, and
 * those that are not special are words of everybody.
 */
function isWord({ special }: AddedToken, { model }: TokenizerJson): boolean {
  return !special && model.merges?.length === 0;
}

/** The same tokenizer without markup; what of it is in the vocabulary gets a name that no text has, the unknown token apart. */
function withoutMarkup(tokenizer: TokenizerJson, markup: readonly AddedToken[]): TokenizerJson {
  const { vocab, unk_token: unknown } = tokenizer.model;
  const hidden = new Set(markup.map((token) => token.content).filter((content) => content !== unknown));
  const renamed = (token: string) => (hidden.has(token) ? `\u0000${token}` : token);
  const plainVocabulary = Array.isArray(vocab)
    ? vocab.map(([token, score]): [string, number] => [renamed(token), score])
    : Object.fromEntries(Object.entries(vocab).map(([token, id]) => [renamed(token), id]));
  const words = tokenizer.added_tokens.filter((token) => !markup.includes(token));
  return { ...tokenizer, added_tokens: words, model: { ...tokenizer.model, vocab: plainVocabulary } };
}

function vocabularyIds(tokenizer: TokenizerJson): number[] {
  const { vocab } = tokenizer.model;
  return [...(Array.isArray(vocab) ? vocab.keys() : Object.values(vocab)), ...tokenizer.added_tokens.map((token) => token.id)];
}
