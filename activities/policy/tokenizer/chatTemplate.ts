/**
 * @file A chat template rendered so that one can tell the template's own text from the messages' contents.
 * Contents are replaced by sentinels, the template is rendered, and the rendering is cut at the sentinels: what a message says can then
 * never be taken for markup, whatever it contains.
 */
import { Template } from '@huggingface/jinja';
import type { Message } from '../../../core/tasks/task.ts';

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

export class ChatTemplate {
  readonly #template: Template;
  readonly #variables: TemplateVariables;
  readonly #trimsContents: boolean;

  constructor(source: string, variables: TemplateVariables) {
    this.#template = new Template(source);
    this.#variables = variables;
    this.#trimsContents = !this.#renderText([{ role: 'user', content: '  x  ' }], true).includes('  x  ');
  }

  /** Text of a conversation, as transformers' `apply_chat_template(tokenize=False)` gives it. */
  text(messages: readonly Message[], addGenerationPrompt: boolean): string {
    return this.#renderText(messages, addGenerationPrompt);
  }

  /** @throws Error when the template shows contents otherwise than whole, so that its own text cannot be told from theirs. */
  parts(messages: readonly Message[], addGenerationPrompt: boolean): RenderedPart[] {
    const marked = messages.map((message, index) => ({ ...message, content: sentinelOf(index) }));
    const pieces = this.#renderText(marked, addGenerationPrompt).split(sentinelPattern);
    const parts = pieces.map((piece, i): RenderedPart => (i % 2 === 0 ? { kind: 'template', text: piece } : this.#contentPart(messages, Number(piece))));
    const whole = parts.map((part) => part.text).join('');
    const rendered = this.#renderText(messages, addGenerationPrompt);
    if (whole !== rendered) {
      throw new Error(
        `chat template: expected every message's content to appear unchanged, got a rendering that depends on it: ${JSON.stringify(rendered.slice(0, 200))}; use a template that prints contents as they are`,
      );
    }
    return parts.filter((part) => part.text !== '');
  }

  #contentPart(messages: readonly Message[], index: number): RenderedPart {
    const content = messages[index]?.content ?? '';
    return { kind: 'content', text: this.#trimsContents ? content.trim() : content };
  }

  #renderText(messages: readonly Message[], addGenerationPrompt: boolean): string {
    return this.#template.render({ ...this.#variables, messages, add_generation_prompt: addGenerationPrompt });
  }
}
