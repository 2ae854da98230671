/** @file One row of a file of chats, checked: OpenAI's `messages`, with calls of tools, and the tools that they are of. */
import { z } from 'zod';
import type { Chat, ChatMessage } from '../../core/tasks/chat.ts';
import { excerpt, type Row, TaskFileError } from './readRows.ts';

/** Parquet gives null for a column that a message does not use. */
const absent = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const textPart = z.object({
  type: z.literal('text', { error: 'expected a part of type text: images, sound and files cannot be trained on' }),
  text: z.string(),
});
const text = z.union([z.string(), z.array(textPart)], { error: 'expected a text or a list of text parts' }).transform((content) => {
  return typeof content === 'string' ? content : content.map((part) => part.text).join('');
});

/** OpenAI writes the arguments as JSON inside a text; templates print an object. */
const callArguments = z.union([z.record(z.string(), z.unknown()), z.string()]).transform((value, context) => {
  const parsed = typeof value === 'string' ? parsedJson(value) : value;
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  context.addIssue({ code: 'custom', message: 'expected a JSON object, or a text that holds one', input: value });
  return z.NEVER;
});

const toolCall = z.strictObject({
  id: absent(z.string()),
  type: z.literal('function').default('function'),
  function: z.strictObject({ name: z.string().min(1), arguments: callArguments }),
});

const message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: absent(text),
  name: absent(z.string()),
  tool_calls: absent(z.array(toolCall)),
  tool_call_id: absent(z.string()),
});

const tools = z
  .unknown()
  .nullish()
  .transform((value, context): Record<string, unknown>[] | undefined => {
    const list = typeof value === 'string' ? parsedJson(value) : (value ?? undefined);
    const isList = Array.isArray(list) && list.every((entry) => typeof entry === 'object' && entry !== null);
    if (list === undefined ? typeof value !== 'string' : isList) return list as Record<string, unknown>[] | undefined;
    context.addIssue({ code: 'custom', message: 'expected a list of functions, or a text that holds one as JSON', input: value });
    return z.NEVER;
  });

const row = z.object({ messages: z.array(message).min(1, 'expected at least one message'), tools });

/** @throws TaskFileError naming the row, and in it the message and key. */
export function readChat({ where, columns }: Row): Chat {
  const result = row.safeParse(columns, { reportInput: true });
  if (!result.success) throw new TaskFileError(`${where}: ${issueText(result.error.issues[0] as z.core.$ZodIssue)}`);
  const { messages, tools: definitions } = result.data;
  const chat = messages.map(chatMessage);
  const problem = sequenceProblem(chat);
  if (problem !== undefined) throw new TaskFileError(`${where}: ${problem}`);
  return { messages: chat, ...(definitions !== undefined && definitions.length > 0 && { tools: definitions }) };
}

function chatMessage({ role, content, name, tool_calls: calls, tool_call_id: answers }: z.infer<typeof message>): ChatMessage {
  return {
    role: role === 'developer' ? 'system' : role,
    content: content ?? '',
    ...(name !== undefined && { name }),
    ...(calls !== undefined && calls.length > 0 && { tool_calls: calls.map(({ id, ...call }) => ({ ...(id !== undefined && { id }), ...call })) }),
    ...(answers !== undefined && { tool_call_id: answers }),
  };
}

function sequenceProblem(messages: readonly ChatMessage[]): string | undefined {
  if (!messages.some(({ role }) => role === 'assistant')) return 'expected a message of the assistant, which is what is trained on, got none; drop the row';
  const open = new Set<string>();
  for (const [i, { role, content, tool_calls: calls, tool_call_id: answers }] of messages.entries()) {
    const at = `messages[${i}]`;
    if (calls !== undefined && role !== 'assistant') return `${at}.tool_calls: expected them in a message of the assistant only, got role ${role}`;
    if (answers !== undefined && role !== 'tool') return `${at}.tool_call_id: expected it in a message of role tool only, got role ${role}`;
    if (role === 'assistant' && content === '' && calls === undefined) return `${at}: expected content or tool_calls, got neither; drop the message or the row`;
    for (const { id } of calls ?? []) if (id !== undefined) open.add(id);
    if (answers !== undefined && !open.has(answers)) return `${at}.tool_call_id: expected the id of a call before it, got ${excerpt(answers)}`;
  }
  return undefined;
}

function issueText(issue: z.core.$ZodIssue): string {
  const at = issue.path.reduce<string>((path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}${path && '.'}${String(key)}`), '');
  if (issue.code === 'unrecognized_keys') return `${at}.${issue.keys[0]}: expected role, content, name, tool_calls or tool_call_id; remove this key`;
  const expectation = issue.message.replace(/^(Invalid input|Invalid option): /, '').replace(/, received .*$/, '');
  return `${at}: ${expectation}, got ${issue.input === undefined ? 'nothing' : excerpt(issue.input)}`;
}

function parsedJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
