/** @file Everything about a run's chats that can be wrong, found before the run starts; and what was found in the file, for people. */
import type { RunConfig } from '../../core/run/config.ts';
import { openChats } from '../tasks/chatFile.ts';
import { initialTokenizer } from './initialPolicy.ts';

/** One line about the file; undefined for a run without. @throws Error with the place, the expectation, what was found and the remedy. */
export async function validateChats({ warmup, policy }: RunConfig): Promise<string | undefined> {
  if (!warmup.chats || warmup.steps === 0) return undefined;
  const { path, rows, leftOut, truncated } = await openChats(warmup.chats, await initialTokenizer(policy), policy.contextLength);
  const tokens = rows.reduce((sum, row) => sum + row.tokens.length, 0);
  const trained = rows.reduce((sum, { lossWeights }) => sum + lossWeights.reduce((count, weight) => count + weight, 0), 0);
  const epochs = (warmup.steps * warmup.batchSize) / rows.length;
  return `warm-up: ${path}, ${rows.length} chats, ${tokens} tokens, ${trained} of them the assistant's; ${leftOut} left out, ${truncated} truncated; ${epochs.toFixed(1)} epochs`;
}
