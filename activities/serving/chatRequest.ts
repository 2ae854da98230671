/** @file The body of POST /v1/chat/completions, checked once. A parameter that turnwise cannot honour is an error, never ignored. */
import { z } from 'zod';
import type { SamplingRule } from '../../core/model/sampling.ts';
import type { ChatMessage, ToolDefinition } from '../../core/tasks/chat.ts';
import { type ApiError, badRequest } from './apiError.ts';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Those that the policy is told of; absent: none, and calls are not looked for. */
  readonly tools?: readonly ToolDefinition[];
  readonly rule: SamplingRule;
  /** Absent: as many as the context leaves room for. */
  readonly maxTokens?: number;
  readonly choices: number;
  readonly stop: readonly string[];
  /** Absent: another one for every request. */
  readonly seed?: number;
  /** Absent: the answer has no log-probabilities. */
  readonly likeliest?: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** More than the decoder's rows would only wait for one another. */
const mostChoices = 64;

const textPart = z.strictObject({
  type: z.literal('text', { error: 'expected a part of type text: turnwise reads no images, sound or files' }),
  text: z.string(),
});

/** Templates print arguments as an object, OpenAI's clients send the text of one. */
const callArguments = z.string().transform((text, context): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  context.addIssue({ code: 'custom', message: 'expected the text of a JSON object', input: text });
  return z.NEVER;
});

const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function', { error: 'expected function: turnwise knows no other tools' }),
  function: z.strictObject({ name: z.string().min(1), arguments: callArguments }),
});

const contents = z.union([z.string(), z.array(textPart).min(1)], { error: 'expected a string or a list of text parts' });

const message = z.preprocess(
  (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? withAnswerParts(value as Record<string, unknown>) : value),
  z.strictObject({
    role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
    content: contents,
    name: z.string().optional(),
    tool_calls: z.array(toolCall).min(1, 'expected at least one call, or no tool_calls').optional(),
    tool_call_id: z.string().optional(),
  }),
);

/** An assistant that calls tools may say nothing beside it; clients send back the whole message that they were given. */
function withAnswerParts({ refusal, ...message }: Record<string, unknown>): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(message).filter(([key, value]) => value !== null || key === 'content'));
  const saysNothing = given['role'] === 'assistant' && given['tool_calls'] !== undefined && (given['content'] ?? null) === null;
  return { ...given, ...(refusal !== null && refusal !== undefined && { refusal }), ...(saysNothing && { content: '' }) };
}

const tool = z.strictObject({
  type: z.literal('function', { error: 'expected function: turnwise knows no other tools' }),
  function: z.strictObject({
    name: z.string().min(1),
    description: z.string().optional(),
    parameters: z.record(z.string(), z.unknown()).optional(),
    strict: z.literal(false, { error: 'expected false: turnwise does not constrain what the policy writes' }).nullable().optional(),
  }),
});
const toolChoice = z.enum(['auto', 'none'], { error: 'expected auto or none: turnwise cannot make a policy call a tool' });

const unsupported = (why: string) => z.undefined({ error: `expected nothing: ${why}` }).optional();
const older = 'it is the older name of tools';
const off = (what: string) => z.literal(0, { error: `expected 0: turnwise has no ${what}` }).optional();

const body = z
  .strictObject({
    model: z.string(),
    messages: z.array(message).min(1, 'expected at least one message'),
    temperature: z.number().min(0).max(2).default(1),
    top_p: z.number().min(0).max(1).default(1),
    top_k: z.int().min(0).default(0),
    n: z.int().min(1).max(mostChoices).default(1),
    max_tokens: z.int().min(1).optional(),
    max_completion_tokens: z.int().min(1).optional(),
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)], { error: 'expected a text, or up to 16 of them, none empty' }).default([]),
    seed: z.int().optional(),
    logprobs: z.boolean().default(false),
    top_logprobs: z.int().min(0).max(20).optional(),
    stream: z.boolean().default(false),
    stream_options: z.strictObject({ include_usage: z.boolean().default(false), include_obfuscation: z.literal(false).optional() }).optional(),
    response_format: z.strictObject({ type: z.literal('text', { error: 'expected text: turnwise does not constrain what the policy writes' }) }).optional(),
    presence_penalty: off('penalties'),
    frequency_penalty: off('penalties'),
    logit_bias: z
      .record(z.string(), z.number())
      .refine((biases) => Object.keys(biases).length === 0, 'expected no entries: turnwise has no biases')
      .optional(),
    tools: z.array(tool).optional(),
    tool_choice: toolChoice.optional(),
    parallel_tool_calls: z.literal(true, { error: 'expected true: the policy calls as many tools as it likes' }).optional(),
    functions: unsupported(older),
    function_call: unsupported(older),
    // Nothing to do with what is generated: OpenAI's own bookkeeping.
    user: z.string().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    store: z.literal(false, { error: 'expected false: turnwise keeps no requests' }).optional(),
    safety_identifier: z.string().optional(),
    prompt_cache_key: z.string().optional(),
    service_tier: z.enum(['auto', 'default']).optional(),
  })
  .refine(({ max_tokens: older, max_completion_tokens: newer }) => older === undefined || newer === undefined, {
    path: ['max_tokens'],
    error: 'expected max_completion_tokens or its older name max_tokens, got both',
  })
  .refine((given) => given.top_logprobs === undefined || given.logprobs, { path: ['top_logprobs'], error: 'expected logprobs: true beside it' })
  .refine((given) => given.tool_choice === undefined || given.tools !== undefined, { path: ['tool_choice'], error: 'expected tools beside it' })
  .refine((given) => given.stream_options === undefined || given.stream, { path: ['stream_options'], error: 'expected stream: true beside it' });

/** @throws ApiError naming the parameter, what was expected of it and what it is. */
export function parseChatRequest(value: unknown): ChatRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('body', 'expected a JSON object', 'invalid_type');
  const result = body.safeParse(withoutNulls(value), { reportInput: true });
  if (!result.success) throw requestError(result.error.issues[0] as z.core.$ZodIssue);
  const given = result.data;
  const maxTokens = given.max_completion_tokens ?? given.max_tokens;
  return {
    model: given.model,
    messages: given.messages.map(chatMessage),
    ...(given.tools !== undefined && given.tools.length > 0 && given.tool_choice !== 'none' && { tools: given.tools.map(definitionOf) }),
    rule: { temperature: given.temperature, topK: given.top_k, topP: given.top_p },
    ...(maxTokens !== undefined && { maxTokens }),
    choices: given.n,
    stop: [given.stop].flat(),
    ...(given.seed !== undefined && { seed: given.seed }),
    ...(given.logprobs && { likeliest: given.top_logprobs ?? 0 }),
    stream: given.stream,
    includeUsage: given.stream_options?.include_usage ?? false,
  };
}

function chatMessage({ role, content, name, tool_calls: calls, tool_call_id: answers }: z.infer<typeof message>): ChatMessage {
  return {
    role: role === 'developer' ? 'system' : role,
    content: textOf(content),
    ...(name !== undefined && { name }),
    ...(calls !== undefined && { tool_calls: calls }),
    ...(answers !== undefined && { tool_call_id: answers }),
  };
}

/** Without `strict`, which says nothing to the policy. */
function definitionOf({ type, function: { strict: _, ...definition } }: z.infer<typeof tool>): ToolDefinition {
  return { type, function: definition };
}

/** Clients write null for what they leave out. */
function withoutNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null));
}

function textOf(content: string | readonly { readonly text: string }[]): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}

function requestError(issue: z.core.$ZodIssue): ApiError {
  const at = issue.path.reduce<string>((path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}${path && '.'}${String(key)}`), '');
  if (issue.code === 'unrecognized_keys') {
    const name = `${at}${at && '.'}${issue.keys[0]}`;
    return badRequest(name, 'expected a parameter of chat completions that turnwise knows; leave this one out', 'unknown_parameter');
  }
  if (issue.code === 'invalid_type' && issue.input === undefined)
    return badRequest(at, `expected ${issue.expected}, got nothing`, 'missing_required_parameter');
  const code = issue.message.startsWith('Invalid input: expected') ? 'invalid_type' : 'invalid_value';
  const expectation = issue.message.replace(/^(Invalid input|Invalid option|Too big|Too small): /, '').replace(/, received .*$/, '');
  return badRequest(at, `${expectation}, got ${shown(issue.input)}`, code);
}

function shown(input: unknown): string {
  const text = JSON.stringify(input) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
