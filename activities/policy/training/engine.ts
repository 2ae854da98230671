/** @file TrainingEngine over a worker thread: the caller's thread stays free for heartbeats, whatever is computed. */
import { Worker } from 'node:worker_threads';
import type { AdamMoments, ModelConfig, Weights } from '../../../core/model/config.ts';
import type { FrozenBase } from '../../../core/model/lora.ts';
import type { AnswerMessage, PlainError, RequestKind, Requests, ThreadData } from './messages.ts';
import type { TrainerOptions } from './trainer.ts';
import type { TrainingEngine } from './types.ts';

export interface LoadableTrainingEngine extends TrainingEngine {
  /**
   * `reference` is the frozen policy of a KL term; needed only with klCoefficient > 0. With `base`, weights, moments and reference are those
   * of an adapter on it.
   */
  load(
    config: ModelConfig,
    weights: Weights,
    moments: AdamMoments | null,
    reference?: Weights | null,
    base?: FrozenBase | null,
    recomputeActivations?: boolean,
  ): Promise<void>;
}

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export function createTrainingEngine(options: TrainerOptions = {}): LoadableTrainingEngine {
  const thread = new TrainingThread(options);
  return {
    async load(config, weights, moments, reference = null, base = null, recomputeActivations = false) {
      await thread.request('load', { config, weights, moments, reference, base, recomputeActivations });
    },
    supervisedStep: (rows, optimizer, signal) => thread.request('supervisedStep', { rows, optimizer }, signal),
    policyStep: (rows, { signal, ...settings }) => thread.request('policyStep', { rows, settings }, signal),
    state: () => thread.request('state', null),
    close: () => thread.close(),
  };
}

class TrainingThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private ended: Error | null = null;

  constructor(options: TrainerOptions) {
    const workerData: ThreadData = { options };
    this.worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData, name: 'training' });
    this.worker.on('message', (message: AnswerMessage) => this.settle(message));
    this.worker.on('error', (error: Error) => this.end(error));
    this.worker.on('exit', (code) => this.end(new Error(`training thread: ended with code ${code}`)));
    this.worker.unref();
  }

  /** Rejects with the signal's reason. The thread stops within one micro-batch; with several optimiser steps an update may then be half done: load again. */
  async request<K extends RequestKind>(kind: K, request: Requests[K]['request'], signal?: AbortSignal): Promise<Requests[K]['answer']> {
    signal?.throwIfAborted();
    if (this.ended) throw this.ended;
    const id = ++this.lastId;
    const cancelled = new SharedArrayBuffer(4);
    const cancel = () => Atomics.store(new Int32Array(cancelled), 0, 1);
    signal?.addEventListener('abort', cancel, { once: true });
    this.worker.ref();
    try {
      return await new Promise<Requests[K]['answer']>((resolve, reject) => {
        this.pending.set(id, { resolve: resolve as Pending['resolve'], reject });
        this.worker.postMessage({ id, kind, request, cancelled });
      });
    } catch (error) {
      if (signal?.aborted && error instanceof Error && error.name === 'AbortError') throw signal.reason;
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      if (this.pending.size === 0) this.worker.unref();
    }
  }

  async close(): Promise<void> {
    this.end(new Error('training engine: closed'));
    await this.worker.terminate();
  }

  private settle(message: AnswerMessage): void {
    const waiting = this.pending.get(message.id);
    this.pending.delete(message.id);
    if ('error' in message) waiting?.reject(revived(message.error));
    else waiting?.resolve(message.answer as never);
  }

  private end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
  }
}

function revived({ name, message, stack, fields }: PlainError): Error {
  const error = Object.assign(new Error(message), fields, { name });
  if (stack !== undefined) error.stack = stack;
  return error;
}
