/** @file Work that heartbeats from its first line to its last, by timer, and that is told when it should stop. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { DiskFullError, isDiskFull } from './artifacts/diskFull.ts';

/** Replaces what the next heartbeats say; people read it in the UI. */
export type Report = (details: Readonly<Record<string, unknown>>) => void;

const defaultTimeoutMs = 10_000;

/**
 * The signal is aborted when the workflow cancels, when the attempt has been given up by the server, and when the worker shuts down.
 * The last one is a failure that is tried again, not a cancellation: nobody asked for the work to end.
 */
export async function heartbeating<Result>(work: (signal: AbortSignal, report: Report) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const signal = context.cancellationSignal;
  let details: Readonly<Record<string, unknown>> | undefined;
  const beat = () => context.heartbeat(details);
  // The server counts the start of an attempt as its first heartbeat; one more at once would double the cost of a short activity.
  const timer = setInterval(beat, (context.info.heartbeatTimeoutMs ?? defaultTimeoutMs) / 3);
  try {
    const report = (newest: typeof details) => {
      details = newest;
    };
    return await work(signal, report);
  } catch (error) {
    throw signal.aborted ? stopped(signal.reason) : isDiskFull(error) ? diskFull(error as Error) : error;
  } finally {
    clearInterval(timer);
  }
}

/** By a type of its own, so that whoever waits for an operator says what the operator has to do. */
function diskFull(error: Error): ApplicationFailure {
  const message = error instanceof DiskFullError ? error.message : `disk full: ${error.message}. Free some space; it is tried again`;
  return ApplicationFailure.create({ type: 'DiskFull', message, nonRetryable: false, cause: error });
}

function stopped(reason: unknown): unknown {
  const isShutdown = reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
  return isShutdown ? ApplicationFailure.retryable('the worker is shutting down; another attempt goes on', 'WorkerShutdown') : reason;
}
