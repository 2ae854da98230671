/** @file The main thread's side of embedding: the model runs in a thread of its own, so that workflows and heartbeats go on. */
import { Worker } from 'node:worker_threads';
import type { Embed } from '../records/gradedGroup.ts';
import type { EmbeddingAnswer, EmbeddingRequest } from './embedderThread.ts';

export class Embeddings {
  readonly #calls = new Map<number, PromiseWithResolvers<readonly Float32Array[]>>();
  #thread: Worker | undefined;
  #nextId = 0;

  readonly embed: Embed = async (directory, texts) => {
    const thread = this.#started();
    const id = this.#nextId++;
    const call = Promise.withResolvers<readonly Float32Array[]>();
    this.#calls.set(id, call);
    thread.ref();
    thread.postMessage({ id, directory, texts } satisfies EmbeddingRequest);
    try {
      return await call.promise;
    } finally {
      this.#calls.delete(id);
      if (this.#calls.size === 0) thread.unref();
    }
  };

  /** Calls in flight reject. Idempotent. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  /** Made at the first call, since few runs ask for embeddings, and again after it has died: its callers are told and may retry. */
  #started(): Worker {
    if (this.#thread !== undefined) return this.#thread;
    const thread = new Worker(new URL('./embedderThread.ts', import.meta.url), { name: 'embedding' });
    const ended = (error: Error) => {
      if (this.#thread === thread) this.#thread = undefined;
      for (const call of this.#calls.values()) call.reject(error);
    };
    thread.on('message', (answer: EmbeddingAnswer) => this.#settle(answer));
    thread.on('error', (error) => ended(new Error('embedding thread: failed', { cause: error })));
    thread.on('exit', (code) => ended(new Error(`embedding thread: ended with exit code ${code} while texts were being embedded`)));
    this.#thread = thread;
    return thread;
  }

  #settle(answer: EmbeddingAnswer): void {
    const call = this.#calls.get(answer.id);
    if ('vectors' in answer) call?.resolve(answer.vectors);
    else call?.reject(Object.assign(new Error(answer.error.message), answer.error));
  }
}
