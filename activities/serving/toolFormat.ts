/** @file How a chat template writes a call of a tool, which is how its policy does: found by rendering one. */
import type { ChatMessage, ToolCall } from '../../core/tasks/chat.ts';
import type { ChatTemplate } from '../policy/tokenizer/chatTemplate.ts';

/** A call is a JSON object with `name`, and `arguments` or `parameters`. */
export type ToolFormat =
  /** Between two texts, such as `<tool_call>` and `</tool_call>` (Qwen, Hermes, SmolLM); several may follow one another. */
  | { readonly kind: 'tagged'; readonly open: string; readonly close: string }
  /** The whole answer is the object (Llama 3). */
  | { readonly kind: 'bare' }
  /** A text, then a list of objects until the end of the answer (Mistral: `[TOOL_CALLS]`). */
  | { readonly kind: 'list'; readonly open: string };

const call: ToolCall = { id: 'call00000', type: 'function', function: { name: 'probe_name', arguments: { key: 'probe_value' } } };
const question: ChatMessage = { role: 'user', content: 'u' };

/** Undefined where the template writes none, or in a way that is not known here. */
export function toolFormatOf(template: ChatTemplate): ToolFormat | undefined {
  const written = writtenCall(template);
  const object = written === undefined ? null : /\{\s*"name"\s*:\s*"probe_name".*\}/s.exec(written);
  if (written === undefined || object === null) return undefined;
  const before = written.slice(0, object.index).trim();
  const after = written.slice(object.index + object[0].length);
  if (before === '') return { kind: 'bare' };
  if (before.endsWith('[')) return { kind: 'list', open: before.slice(0, -1).trim() };
  const name = /^<\|?([\w]+)\|?>$/.exec(before)?.[1];
  const close = name === undefined ? undefined : [`</${name}>`, `<|/${name}|>`, `<|${name}_end|>`].find((end) => after.trimStart().startsWith(end));
  return close === undefined ? undefined : { kind: 'tagged', open: before, close };
}

/** What the template puts after the generation prompt for a turn that only calls. */
function writtenCall(template: ChatTemplate): string | undefined {
  try {
    const prompt = template.text([question], true);
    const turn = template.text([question, { role: 'assistant', content: '', tool_calls: [call] }], false);
    return turn.startsWith(prompt) ? turn.slice(prompt.length) : undefined;
  } catch {
    return undefined; // it refuses calls
  }
}

/** Whether the definitions of tools reach the prompt at all. */
export function printsTools(template: ChatTemplate): boolean {
  const tools = [{ type: 'function', function: { name: 'probe_name', description: 'd', parameters: { type: 'object', properties: {} } } }];
  try {
    return template.text([question], true, tools).includes('probe_name');
  } catch {
    return false; // it refuses tools
  }
}
