/** @file A user's chats as rows to be trained on: every line read, checked and tokenised before the first is used. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { ChatsConfig } from '../../core/run/config.ts';
import type { PolicyTokenizer } from '../policy/tokenizer/policyTokenizer.ts';
import type { SupervisedRow } from '../policy/training/types.ts';
import { readChat } from './chatMessages.ts';
import { type Row, readRows, TaskFileError } from './readRows.ts';
import { badRows } from './taskFile.ts';

export interface ChatFile {
  readonly path: string;
  /** In the order of the file. */
  readonly rows: readonly SupervisedRow[];
  /** Over-long chats that were left out, or lost their end. */
  readonly leftOut: number;
  readonly truncated: number;
}

/** After this many rows other work of the process gets its turn: heartbeats among it. */
const rowsAtATime = 32;

/** @throws TaskFileError with the first bad rows, each with its place and remedy. */
export async function openChats(chats: ChatsConfig, tokenizer: PolicyTokenizer, contextLength: number): Promise<ChatFile> {
  const { file: path, sha256 } = chats;
  const { rows } = await readRows(path, 'chats');
  const found = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  if (sha256 !== undefined && sha256 !== found)
    throw new TaskFileError(
      `${path}: expected the file that the run was configured with (sha256 ${sha256}), got another (sha256 ${found}); put the old one back, or start a new run`,
    );
  const limit = { contextLength, overLong: chats.overLong };
  const encoded: (SupervisedRow & { readonly cut: boolean })[] = [];
  const errors: string[] = [];
  let leftOut = 0;
  for (const [i, row] of rows.entries()) {
    if (i % rowsAtATime === 0) await setImmediate();
    try {
      const one = supervisedRow(row, tokenizer, limit);
      if (one === undefined) leftOut += 1;
      else encoded.push(one);
    } catch (error) {
      if (!(error instanceof TaskFileError)) throw error;
      errors.push(error.message);
    }
  }
  if (errors.length > 0) throw badRows(errors);
  if (encoded.length === 0) throw new TaskFileError(`${path}: expected at least one chat of up to ${contextLength} tokens, got none of ${rows.length}`);
  return { path, rows: encoded.map(({ tokens, lossWeights }) => ({ tokens, lossWeights })), leftOut, truncated: encoded.filter(({ cut }) => cut).length };
}

/** Undefined: left out. */
function supervisedRow(row: Row, tokenizer: PolicyTokenizer, { contextLength, overLong }: { readonly contextLength: number } & Pick<ChatsConfig, 'overLong'>) {
  const { tokens, sampledMask } = encoded(row, tokenizer);
  const cut = tokens.length > contextLength;
  if (cut && overLong === 'refuse')
    throw new TaskFileError(
      `${row.where}: expected at most policy.contextLength ${contextLength} tokens, got ${tokens.length}; raise it, or set warmup.chats.overLong to leaveOut or truncate`,
    );
  if (cut && overLong === 'leaveOut') return undefined;
  const kept = sampledMask.subarray(0, contextLength);
  // The first token has none before it that could predict it.
  const isTrained = kept.subarray(1).includes(1);
  if (!isTrained && !cut) throw new TaskFileError(`${row.where}: expected the chat template to print and mark what the assistant writes, it marks nothing`);
  if (!isTrained) return undefined;
  return { tokens: tokens.slice(0, contextLength), lossWeights: Float32Array.from(kept), cut };
}

function encoded(row: Row, tokenizer: PolicyTokenizer) {
  const chat = readChat(row);
  try {
    return tokenizer.encodeChat(chat);
  } catch (error) {
    throw new TaskFileError(`${row.where}: ${(error as Error).message}`, { cause: error });
  }
}
