/**
 * @file The answered model calls of a scout, one file each, named by the hash of the whole request. Written before anything is made of an answer,
 * so that whatever is killed afterwards, the same request is answered from here.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Usage } from '../../core/scout/budget.ts';
import type { ModelChoice } from '../../core/scout/run.ts';
import { writeFileAtomic } from '../artifacts/atomicWrite.ts';

export interface CallMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

export interface CallRequest {
  readonly stage: 'scope' | 'analyze' | 'synthesize';
  readonly model: Omit<ModelChoice, 'price'>;
  readonly system: string;
  readonly messages: readonly CallMessage[];
  readonly maxOutputTokens: number;
}

/** What came back, as the model wrote it. */
export interface CallAnswer {
  readonly text: string;
  /** `stop`, `length`, `tool-calls`, … as the AI SDK names them. */
  readonly finishReason: string;
  /** Tools that it tried to call; none is ever offered. */
  readonly toolNames: readonly string[];
  readonly usage: Usage;
}

export class CallStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A record that a damaged disk left unreadable is no answer: the call is made again and replaces it. */
  async answerTo(request: CallRequest): Promise<CallAnswer | undefined> {
    const text = await readFile(this.#path(request), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    try {
      return text === undefined ? undefined : (JSON.parse(text) as { readonly answer: CallAnswer }).answer;
    } catch {
      return undefined;
    }
  }

  async keep(request: CallRequest, answer: CallAnswer): Promise<void> {
    await writeFileAtomic(this.#path(request), `${JSON.stringify({ request, answer }, null, 2)}\n`);
  }

  #path(request: CallRequest): string {
    return join(this.#directory, `${request.stage}-${hashOf(request)}.json`);
  }
}

/** Fields in one order, whoever made the object. */
function hashOf({ stage, model, system, messages, maxOutputTokens }: CallRequest): string {
  const { provider, name, baseUrl } = model;
  const turns = messages.map(({ role, content }) => [role, content]);
  const text = JSON.stringify([stage, provider, name, baseUrl ?? null, system, turns, maxOutputTokens]);
  return createHash('sha256').update(text).digest('hex');
}
