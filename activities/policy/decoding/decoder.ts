/** @file The main thread's side of decoding: concurrent `generate` calls share the batches of one decoding thread. */
import { Worker } from 'node:worker_threads';
import type { DecodingRequest, Generation, WatchedToken } from './decodingRequest.ts';
import type { DecodingOptions, FromThread, PolicyDirectory, ToThread } from './messages.ts';

const defaultDecodingOptions: DecodingOptions = { maxRows: 64, gatherMs: 40, maxPolicies: 2, prefixCacheBytes: 256 * 2 ** 20 };

interface PendingCall {
  readonly resolve: (generation: Generation) => void;
  readonly reject: (error: unknown) => void;
  readonly watch: (token: WatchedToken) => void;
}

export class Decoder {
  readonly #options: DecodingOptions;
  readonly #calls = new Map<number, PendingCall>();
  #thread: Worker | undefined;
  #nextId = 0;
  #closed = false;

  constructor(options: Partial<DecodingOptions> = {}) {
    this.#options = { ...defaultDecodingOptions, ...options };
  }

  /**
   * One turn's tokens. They depend on the request and the policy alone, not on what else is being decoded.
   * When `signal` fires, the row leaves its batch before the next step and the promise rejects with the signal's reason.
   * `watch` hears every token of a request with `watchLikeliest`, in order and before the promise resolves.
   */
  async generate(
    policy: PolicyDirectory,
    request: DecodingRequest,
    signal?: AbortSignal,
    watch: (token: WatchedToken) => void = () => undefined,
  ): Promise<Generation> {
    signal?.throwIfAborted();
    if (this.#closed) throw new Error('Decoder: expected no calls after close()');
    const thread = this.#started();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Generation>();
    this.#calls.set(id, { resolve, reject, watch });
    const cancel = () => {
      post(thread, { kind: 'cancel', id });
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    post(thread, { kind: 'generate', id, policy, request });
    thread.ref();
    try {
      return await promise;
    } finally {
      this.#calls.delete(id);
      signal?.removeEventListener('abort', cancel);
      if (this.#calls.size === 0) thread.unref();
    }
  }

  /** Ends the thread; calls in flight reject. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }

  /** The thread, made at the first call and again after it has died: its callers are told and may retry. */
  #started(): Worker {
    if (this.#thread !== undefined) return this.#thread;
    // Unreferenced while idle, so that a forgotten decoder does not keep its process alive.
    const thread = new Worker(new URL('./decoderThread.ts', import.meta.url), { workerData: this.#options, name: 'decoding' });
    const ended = (error: Error) => {
      if (this.#thread === thread) this.#thread = undefined;
      for (const call of this.#calls.values()) call.reject(error);
    };
    thread.on('message', (message: FromThread) => this.#settle(message));
    thread.on('error', (error) => ended(new Error('decoding thread: failed', { cause: error })));
    thread.on('exit', (code) => ended(new Error(`decoding thread: ended with exit code ${code} while rows were being decoded`)));
    this.#thread = thread;
    return thread;
  }

  #settle(message: FromThread): void {
    if (message.kind === 'sampled') {
      for (const { id, token } of message.tokens) this.#calls.get(id)?.watch(token);
      return;
    }
    const call = this.#calls.get(message.id);
    if (message.kind === 'generated') call?.resolve(message.generation);
    else call?.reject(Object.assign(new Error(message.error.message), message.error));
  }
}

function post(thread: Worker, message: ToThread): void {
  thread.postMessage(message);
}
