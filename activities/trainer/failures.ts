/** @file What can stop the trainer, as Temporal failures: said once, here, with what to do about it. */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { isDiskFull, isFileError } from '../artifacts/diskFull.ts';
import { ConfigError } from './configError.ts';

/** By the error's name, because errors that come out of a worker thread have lost their class. */
const nonRetryable: Readonly<Record<string, string>> = {
  LogprobGateClosed: 'LogprobGateClosed',
  NonFiniteLoss: 'NonFiniteLoss',
  ConfigError: 'ConfigError',
  HubRefusal: 'ConfigError',
  CheckpointError: 'BadCheckpoint',
  SafetensorsError: 'BadCheckpoint',
  ReferencePolicyError: 'BadReference',
};

const advice: Readonly<Record<string, string>> = {
  BadCheckpoint: '`npm run resume -- <run>` goes on from the newest checkpoint that is whole',
  BadReference:
    'put the checkpoint back from a copy, or go on without KL by `npm run control -- set <run> klCoefficient=0`; then `npm run control -- resume <run>`',
  NonFiniteLoss: 'the same step computes the same again: go on with a smaller learning rate, or start a new run with a smaller optimizer.maxGradNorm',
  OutOfMemory: 'free memory on this machine, or start a new run with a smaller training.microBatchTokens; the step is tried again',
};

/** @throws always; failures of Temporal's own (cancellation among them) as they are. */
export function throwTrainerFailure(error: unknown): never {
  if (error instanceof TemporalFailure || !(error instanceof Error)) throw error;
  const type = nonRetryable[error.name] ?? (isDiskFull(error) ? 'DiskFull' : isOutOfMemory(error) ? 'OutOfMemory' : undefined);
  if (type === undefined) throw error;
  const message = advice[type] === undefined ? error.message : `${error.message}. What to do: ${advice[type]}`;
  throw ApplicationFailure.create({ type, message, nonRetryable: error.name in nonRetryable, cause: error });
}

/** What may pass without a change of the configuration, by itself or when a person has made room: it is no answer to whether the configuration is right. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof TemporalFailure || error.name === 'HubUnreachable' || isDiskFull(error) || isOutOfMemory(error) || isFileError(error, ...passing);
}

/** Of the system: a device or a network disk that fails for now, or too many open files. */
const passing = ['EIO', 'ESTALE', 'ETIMEDOUT', 'EBUSY', 'EAGAIN', 'EMFILE', 'ENFILE'];

/** What is wrong with the configuration, under the key that says it. @throws always; what may pass as it is, so that it is tried again. */
export function refuseConfig(error: unknown, key?: string): never {
  if (mayPass(error)) throw error;
  const { message } = error as Error;
  throw new ConfigError(key === undefined ? message : `${key}: ${message}`, { cause: error });
}

/** V8 (array buffers), worker threads (heap) and ONNX Runtime (allocator) say it in their own words. */
function isOutOfMemory(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' || code === 'ENOMEM' || /allocation failed|bad_alloc|failed to allocate|out of memory/i.test(error.message);
}
