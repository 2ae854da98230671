/** @file What went wrong, in one line that a person can act on. */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TemporalFailure, TimeoutFailure } from '@temporalio/workflow';
import type { TrajectorySummary } from '../core/rollout/types.ts';
import { noUsage, type Usage } from '../core/scout/budget.ts';

/** Search attributes, tables and ledgers carry the reason, so it is cut here once. */
const reasonCharacters = 400;

/** `update: LogprobGateClosed: … (not retried)`; follows the chain of causes to the first one that says something. */
export function reasonOf(error: unknown): string {
  const reason = describe(error);
  return reason.length <= reasonCharacters ? reason : `${reason.slice(0, reasonCharacters - 1)}…`;
}

function describe(error: unknown): string {
  if (error instanceof ActivityFailure) return `${error.activityType}: ${describe(error.cause)}`;
  if (error instanceof ChildWorkflowFailure) return `${error.execution.workflowId}: ${describe(error.cause)}`;
  if (error instanceof TimeoutFailure) return timeoutReasons[error.timeoutType ?? ''] ?? error.message;
  if (error instanceof ApplicationFailure)
    return error.type === undefined || error.type === null || error.type === 'Error' ? error.message : `${error.type}: ${error.message}`;
  if (error instanceof TemporalFailure) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

const timeoutReasons: Readonly<Record<string, string>> = {
  START_TO_CLOSE: 'took longer than its start-to-close timeout',
  SCHEDULE_TO_START: 'no worker took it within its schedule-to-start timeout; is one running on its queue?',
  SCHEDULE_TO_CLOSE: 'did not succeed within its schedule-to-close timeout; is a worker running on its queue?',
  HEARTBEAT: 'its worker stopped sending heartbeats and no attempt is left',
};

/** Of a rollout that has no reward: `model_error (chain/train/0, r0): generate: …`. */
export function failureText({ outcome, taskId, sibling, failure }: TrajectorySummary): string {
  const where = `${outcome} (${taskId}, r${sibling})`;
  return failure === undefined ? where : `${where}: ${failure}`;
}

/** A checkpoint on disk is not the one that the workflow knows; said by `generate`, `warmUp` and `update`, however deep below. */
export function isBadCheckpoint(error: unknown): boolean {
  if (error instanceof ApplicationFailure && error.type === badCheckpoint) return true;
  return error instanceof TemporalFailure && isBadCheckpoint(error.cause);
}

export const badCheckpoint = 'BadCheckpoint';

/** Nobody polls the queue: whatever lived behind it is gone. */
export function isQueueDead(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure && error.cause.timeoutType === 'SCHEDULE_TO_START';
}

/** What model calls cost that came to nothing; activities/scout/conversation.ts tells it with every failure. */
export function usageOf(error: unknown): Usage {
  const details = error instanceof ActivityFailure && error.cause instanceof ApplicationFailure ? error.cause.details : undefined;
  const [usage] = (details ?? []) as readonly (Usage | undefined)[];
  return usage ?? noUsage;
}

/** The provider will not take this call, whoever makes it and however often: no key, or a request it calls wrong. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && ['NoModelKey', 'BadModelRequest'].includes(error.cause.type ?? '');
}
