/** @file Whether a prompt leaves room for an answer in the policy's context, before any tokenizer is loaded. */
import type { PolicyConfig } from '../../core/run/config.ts';
import type { Message } from '../../core/tasks/task.ts';

/** The `bytes` vocabulary has one token a byte. Of other tokenizers only a bound is known: hardly any text has more than 8 bytes a token. */
export function promptFits(policy: Pick<PolicyConfig, 'path' | 'contextLength'>): (messages: readonly Message[]) => boolean {
  const bytesPerToken = policy.path === null ? 1 : 8;
  const room = 0.75 * policy.contextLength * bytesPerToken;
  return (messages) => messages.reduce((bytes, { content }) => bytes + Buffer.byteLength(content), 0) <= room;
}
