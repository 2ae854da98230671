/**
 * @file Which stretches of a rendered conversation the assistant wrote, its end of turn included. Templates with `{% generation %}` blocks say
 * so; of others it is what a turn adds to the prompt before it, where the template only ever appends.
 */
import type { Chat } from '../../../core/tasks/chat.ts';
import type { ChatTemplate, RenderedPart } from './chatTemplate.ts';
import type { Generated } from './generationMarks.ts';

/** @param endOfTurn text of the token that ends a turn: what a template prints behind it, a newline mostly, nobody samples. */
export function assistantTurns(template: ChatTemplate, chat: Chat, endOfTurn: string): Generated {
  return template.generated(chat) ?? turnsByPrefixes(template, chat, endOfTurn);
}

function turnsByPrefixes(template: ChatTemplate, { messages, tools }: Chat, endOfTurn: string): Generated {
  const whole = template.text(messages, false, tools);
  return messages.flatMap((message, i) => {
    if (message.role !== 'assistant') return [];
    const prompt = template.text(messages.slice(0, i), true, tools);
    const turn = template.text(messages.slice(0, i + 1), false, tools);
    checkPrefix(prompt, turn, i);
    checkPrefix(turn, whole, i);
    const last = turn.lastIndexOf(endOfTurn);
    return [[prompt.length, last < prompt.length ? turn.length : last + endOfTurn.length] as const];
  });
}

function checkPrefix(earlier: string, later: string, message: number): void {
  if (later.startsWith(earlier)) return;
  let at = 0;
  while (earlier[at] === later[at]) at += 1;
  throw new Error(
    `chat template: expected it only to append, or to mark with {% generation %} what the assistant writes; at messages[${message}] it rewrites ` +
      `${JSON.stringify(earlier.slice(Math.max(0, at - 20), at + 20))} as ${JSON.stringify(later.slice(Math.max(0, at - 20), at + 20))}; add the blocks to chat_template.jinja`,
  );
}

export interface Stretch {
  readonly parts: RenderedPart[];
  /** By the assistant. */
  readonly isWritten: boolean;
}

/** The parts between what is written, and those in it, in turn. */
export function cutParts(parts: readonly RenderedPart[], written: Generated): Stretch[] {
  const edges = written.flat();
  const stretches: Stretch[] = [{ parts: [], isWritten: false }];
  let at = 0;
  for (const { kind, text } of parts) {
    let start = 0;
    while (edges[stretches.length - 1] !== undefined && (edges[stretches.length - 1] as number) <= at + text.length) {
      const cut = (edges[stretches.length - 1] as number) - at;
      stretches.at(-1)?.parts.push({ kind, text: text.slice(start, cut) });
      stretches.push({ parts: [], isWritten: stretches.length % 2 === 1 });
      start = cut;
    }
    stretches.at(-1)?.parts.push({ kind, text: text.slice(start) });
    at += text.length;
  }
  return stretches;
}
