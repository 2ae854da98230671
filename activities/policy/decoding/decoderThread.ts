/**
 * @file The decoding thread: owns sessions, caches and batches, so that the main thread stays free for heartbeats. Messages are taken in
 * between two steps; with several policy versions in use, their batches take turns.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { WeightPrecision } from '../../../core/model/quantisation.ts';
import { DecodingBatch } from './decodingBatch.ts';
import type { WatchedToken } from './decodingRequest.ts';
import { Gathering } from './gathering.ts';
import { type DecodingOptions, type FromThread, type PolicyDirectory, plainError, type ToThread } from './messages.ts';
import { loadPolicyModel, type PolicyModel } from './policyModel.ts';
import { PrefixCache } from './prefixCache.ts';

interface LoadedPolicy {
  readonly model: PolicyModel;
  readonly batch: DecodingBatch;
  /** What watched rows sampled in the step that goes on. */
  readonly watched: WatchedTokens;
}

type WatchedTokens = { readonly id: number; readonly token: WatchedToken }[];

class DecodingThread {
  readonly #options: DecodingOptions;
  readonly #send: (message: FromThread) => void;
  /** In the order of use. */
  readonly #policies = new Map<string, LoadedPolicy>();
  readonly #inbox: ToThread[] = [];
  readonly #gathering: Gathering;
  #running = false;
  /** Ends the pause in which rows are gathered. */
  #wake: () => void = () => undefined;

  constructor(options: DecodingOptions, send: (message: FromThread) => void) {
    this.#options = options;
    this.#send = send;
    this.#gathering = new Gathering(options.gatherMs, options.maxRows);
  }

  receive(message: ToThread): void {
    this.#inbox.push(message);
    if (message.kind === 'generate') this.#gathering.arrived(performance.now(), this.#callsUnderWay());
    if (!this.#running) void this.#run();
    else if (this.#gathering.remainingMs(performance.now()) === 0) this.#wake();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#inbox.length > 0 || this.#busy().length > 0) {
      await this.#letMessagesIn();
      for (const message of this.#inbox.splice(0)) await this.#take(message);
      const admit = this.#gathering.remainingMs(performance.now()) === 0;
      if (admit) this.#gathering.joined();
      for (const policy of this.#busy()) await this.#advance(policy, admit);
    }
    this.#running = false;
  }

  /** All that arrived together join the same step. With nothing to decode, sleeps until the rows that wait may join. */
  async #letMessagesIn(): Promise<void> {
    const decoding = this.#busy().some(({ batch }) => batch.rowCount > 0);
    const remainingMs = decoding ? 0 : this.#gathering.remainingMs(performance.now());
    await new Promise<void>((resolve) => {
      if (remainingMs === 0) setImmediate(resolve);
      else {
        const timer = setTimeout(resolve, remainingMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }
    });
  }

  #callsUnderWay(): number {
    const arriving = this.#inbox.filter(({ kind }) => kind === 'generate').length;
    return this.#busy().reduce((sum, { batch }) => sum + batch.ids.length, arriving);
  }

  #busy(): LoadedPolicy[] {
    return [...this.#policies.values()].filter(({ batch }) => !batch.idle);
  }

  async #take(message: ToThread): Promise<void> {
    if (message.kind === 'cancel') {
      for (const { batch } of this.#policies.values()) batch.cancel(message.id);
      return;
    }
    try {
      const { batch } = await this.#policy(message.policy);
      batch.add(message.id, message.request);
    } catch (error) {
      this.#send({ kind: 'failed', id: message.id, error: plainError(error as Error) });
    }
  }

  /** A failing run fails every row in it; the next call starts afresh with a new batch. */
  async #advance({ model, batch, watched }: LoadedPolicy, admit: boolean): Promise<void> {
    try {
      const ended = await batch.advance(admit);
      if (watched.length > 0) this.#send({ kind: 'sampled', tokens: watched.splice(0) });
      for (const finished of ended) {
        if ('error' in finished) this.#send({ kind: 'failed', id: finished.id, error: plainError(finished.error) });
        else this.#send({ kind: 'generated', ...finished });
      }
    } catch (error) {
      for (const id of batch.ids) this.#send({ kind: 'failed', id, error: plainError(error as Error) });
      this.#policies.delete(model.key);
      await model.release();
    }
  }

  async #policy({ key: content, path, weights = 'float32' }: PolicyDirectory): Promise<LoadedPolicy> {
    const key = `${weights} ${content}`;
    const known = this.#policies.get(key);
    const policy = known ?? (await this.#load(key, path, weights));
    this.#policies.delete(key);
    this.#policies.set(key, policy);
    return policy;
  }

  async #load(key: string, path: string, weights: WeightPrecision): Promise<LoadedPolicy> {
    for (const [oldest, { model, batch }] of this.#policies) {
      if (this.#policies.size < this.#options.maxPolicies) break;
      if (!batch.idle) continue;
      this.#policies.delete(oldest);
      await model.release();
    }
    const model = await loadPolicyModel(key, path, weights);
    // A cache of its own: every training step makes a version, and its prefixes go with it.
    const prefixes = new PrefixCache(this.#options.prefixCacheBytes / this.#options.maxPolicies);
    const watched: WatchedTokens = [];
    const batch = new DecodingBatch(model, prefixes, this.#options.maxRows, (id, token) => watched.push({ id, token }));
    return { model, batch, watched };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const thread = new DecodingThread(workerData as DecodingOptions, (message) => port.postMessage(message));
  port.on('message', (message: ToThread) => thread.receive(message));
}
