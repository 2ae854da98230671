/** @file The body of POST /v1/chat/completions, checked once. A parameter that turnwise cannot honour is an error, never ignored. */
import { z } from 'zod';
import type { SamplingRule } from '../../core/model/sampling.ts';
import type { Message } from '../../core/tasks/task.ts';
import { type ApiError, badRequest } from './apiError.ts';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly Message[];
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

const message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(textPart).min(1)], { error: 'expected a string or a list of text parts' }),
  /** Which call a tool answers; templates say it by position. */
  tool_call_id: z.string().optional(),
});

const unsupported = (why: string) => z.undefined({ error: `expected nothing: ${why}` }).optional();
const noTools = "this policy's chat template has no tools; describe them in a message, and read what the policy writes from its content";
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
    tools: unsupported(noTools),
    tool_choice: unsupported(noTools),
    functions: unsupported(noTools),
    function_call: unsupported(noTools),
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
    messages: given.messages.map(({ role, content }) => ({ role: role === 'developer' ? 'system' : role, content: textOf(content) })),
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
