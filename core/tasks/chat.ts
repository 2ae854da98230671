/** @file A conversation with calls of tools, in the shape that chat templates read: OpenAI's, with the arguments of calls as objects. */
import type { Message } from './task.ts';

export interface ToolCall {
  readonly id?: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> };
}

/** Keys as templates spell them. `content` is empty where an assistant only calls tools. */
export interface ChatMessage extends Message {
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
}

/** JSON schema of a function, as OpenAI writes it; templates print it whole. */
export type ToolDefinition = Readonly<Record<string, unknown>>;

export interface Chat {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolDefinition[];
}
