/** @file The worker thread of training: owns sessions, weights and moments, and serves one request at a time. */
import { isDeepStrictEqual } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { Tensor, Weights } from '../../../core/model/config.ts';
import type { AnswerMessage, PlainError, RequestKind, RequestMessage, Requests, ThreadData } from './messages.ts';
import type { TrainingSessions } from './sessions.ts';
import { Trainer, trainingSessions } from './trainer.ts';

const { options } = workerData as ThreadData;
let trainer: Trainer | null = null;
let sessions: TrainingSessions | null = null;
let queue: Promise<void> = Promise.resolve();

parentPort?.on('message', (message: RequestMessage) => {
  queue = queue.then(() => serve(message));
});

async function serve({ id, kind, request, cancelled }: RequestMessage): Promise<void> {
  const flag = new Int32Array(cancelled);
  const check = () => {
    if (Atomics.load(flag, 0) === 0) return;
    throw Object.assign(new Error(`${kind}: cancelled`), { name: 'AbortError' });
  };
  try {
    check();
    const answer = await (handlers[kind] as (request: unknown, check: () => void) => Promise<unknown>)(request, check);
    parentPort?.postMessage({ id, answer } satisfies AnswerMessage, kind === 'state' ? buffersOf(answer as Requests['state']['answer']) : []);
  } catch (error) {
    parentPort?.postMessage({ id, error: plain(error) } satisfies AnswerMessage);
  }
}

const handlers: { [K in RequestKind]: (request: Requests[K]['request'], check: () => void) => Promise<Requests[K]['answer']> } = {
  load: async ({ config, weights, moments, reference, base, recomputeActivations }) => {
    if (!isDeepStrictEqual([sessions?.config, sessions?.base, sessions?.recomputesActivations], [config, base, recomputeActivations])) {
      await sessions?.release();
      sessions = trainingSessions(config, { ...options, recomputeActivations }, base);
    }
    trainer = new Trainer(config, weights, moments, reference, options, sessions ?? undefined);
    return null;
  },
  supervisedStep: ({ rows, optimizer }, check) => loaded().supervisedStep(rows, optimizer, check),
  policyStep: ({ rows, settings }, check) => loaded().policyStep(rows, settings, check),
  state: async () => {
    const { weights, first, second, step } = loaded().state;
    return { weights: copied(weights), moments: { step, first: copied(first), second: copied(second) } };
  },
};

function loaded(): Trainer {
  if (!trainer) throw new Error('training engine: no model is loaded; call load first');
  return trainer;
}

function copied(weights: Weights): Weights {
  return new Map(Array.from(weights, ([name, { shape, data }]): [string, Tensor] => [name, { shape, data: data.slice() }]));
}

function buffersOf({ weights, moments }: Requests['state']['answer']): ArrayBuffer[] {
  return [weights, moments.first, moments.second].flatMap((part) => Array.from(part.values(), ({ data }) => data.buffer as ArrayBuffer));
}

/** Structured cloning keeps neither the name nor the fields of an error. */
function plain(error: unknown): PlainError {
  const { name, message, stack, ...fields } =
    error instanceof Error
      ? Object.assign({ name: error.name, message: error.message, stack: error.stack }, error)
      : { name: 'Error', message: String(error), stack: undefined };
  return { name, message, stack, fields };
}
