/**
 * @file A chat template rendered so that one can tell the template's own text from the messages' contents.
 * Contents are replaced by sentinels, the template is rendered, and the rendering is cut at the sentinels: what a message says can then
 * never be taken for markup, whatever it contains.
 */
import { Template } from '@huggingface/jinja';
import type { Chat, ChatMessage } from '../../../core/tasks/chat.ts';
import { type Generated, generationMarks, withGenerationMarks } from './generationMarks.ts';

/** A stretch of a rendering: the template's own text, or the content of a message. */
export interface RenderedPart {
  readonly kind: 'template' | 'content';
  readonly text: string;
}

export interface TemplateVariables {
  readonly bos_token: string;
  readonly eos_token: string;
  readonly pad_token: string;
}

// Private-use characters: no template and no tokenizer gives them a meaning.
const sentinelOf = (index: number) => `\uE0F0${index}\uE0F1`;
const sentinelPattern = /\uE0F0(\d+)\uE0F1/u;

/** Shapes of conversations whose rendering is remembered. */
const framesKept = 64;

export class ChatTemplate {
  readonly #template: Template;
  /** Prints where `{% generation %}` blocks begin and end; absent where the template has none. */
  readonly #marking: Template | undefined;
  readonly #variables: TemplateVariables;
  readonly #trimsContents: boolean;
  /** Renderings around contents, by everything of the messages but their contents: observations differ in nothing else. */
  readonly #frames = new Map<string, readonly string[]>();

  constructor(source: string, variables: TemplateVariables) {
    this.#template = new Template(source);
    const marked = withGenerationMarks(source);
    this.#marking = marked === undefined ? undefined : new Template(marked);
    this.#variables = variables;
    this.#trimsContents = !this.#renderText([{ role: 'user', content: '  x  ' }], true).includes('  x  ');
  }

  /** Text of a conversation, as transformers' `apply_chat_template(tokenize=False)` gives it. */
  text(messages: readonly ChatMessage[], addGenerationPrompt: boolean, tools?: Chat['tools']): string {
    return this.#renderText(messages, addGenerationPrompt, tools);
  }

  /** What the template says that the policy writes, by its `{% generation %}` blocks; undefined where it has none. */
  generated({ messages, tools }: Chat): Generated | undefined {
    return this.#marking && generationMarks(this.#renderText(messages, false, tools, this.#marking), this.#renderText(messages, false, tools));
  }

  /** @throws Error when the template shows contents otherwise than whole, so that its own text cannot be told from theirs. */
  parts(messages: readonly ChatMessage[], addGenerationPrompt: boolean, tools?: Chat['tools']): RenderedPart[] {
    const parts = this.#frame(messages, addGenerationPrompt, tools).map(
      (piece, i): RenderedPart => (i % 2 === 0 ? { kind: 'template', text: piece } : this.#contentPart(messages, Number(piece))),
    );
    const whole = parts.map((part) => part.text).join('');
    const rendered = this.#renderText(messages, addGenerationPrompt, tools);
    if (whole !== rendered) {
      throw new Error(
        `chat template: expected every message's content to appear unchanged, got a rendering that depends on it: ${JSON.stringify(rendered.slice(0, 200))}; use a template that prints contents as they are`,
      );
    }
    return parts.filter((part) => part.text !== '');
  }

  /** Template text and indices of messages in turns. */
  #frame(messages: readonly ChatMessage[], addGenerationPrompt: boolean, tools: Chat['tools']): readonly string[] {
    // Templates ask whether there is content at all: an empty one stays empty.
    const marked = messages.map((message, index) => ({ ...message, content: message.content === '' ? '' : sentinelOf(index) }));
    const key = JSON.stringify([marked, addGenerationPrompt, tools]);
    const frame = this.#frames.get(key) ?? this.#renderText(marked, addGenerationPrompt, tools).split(sentinelPattern);
    if (this.#frames.size < framesKept) this.#frames.set(key, frame);
    return frame;
  }

  #contentPart(messages: readonly ChatMessage[], index: number): RenderedPart {
    const content = messages[index]?.content ?? '';
    return { kind: 'content', text: this.#trimsContents ? content.trim() : content };
  }

  #renderText(messages: readonly ChatMessage[], addGenerationPrompt: boolean, tools?: Chat['tools'], template = this.#template): string {
    return template.render({ ...this.#variables, messages, add_generation_prompt: addGenerationPrompt, ...(tools && { tools }) });
  }
}
