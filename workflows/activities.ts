/**
 * @file Every activity proxy, and nothing else: which queue, how long, how often again.
 *
 * The rules behind the numbers:
 * - A killed worker is noticed by its missing heartbeat, so heartbeat timeouts are seconds; they are most of the time that a kill costs.
 * - Attempts are bounded everywhere. What happens after the last one is decided by the workflow: a rollout ends as `model_error` or
 *   `infra_error`, a step or an evaluation waits for an operator.
 * - On shared queues an activity waits for a worker as long as it takes: machines may be off for a night, and a wait must not turn into a
 *   failed rollout. Schedule-to-start is short only on a sandbox worker's own queue, where nobody answers once that worker is gone.
 */
import type { ActivityInterfaceFor, ActivityOptions } from '@temporalio/workflow';
import { proxyActivities } from '@temporalio/workflow';
import type { LightActivities, PolicyActivities, SandboxActivities, ScoutActivities, TrainerActivities } from '../activities/signatures.ts';
import { taskQueues } from '../core/run/names.ts';

/** 0.25, 0.5, 1, 2, 4, 8, 10, … seconds between attempts. */
const backoff = { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** The same input meets these again, so another attempt is a waste. Activities also throw non-retryable failures of their own. */
const deterministic = ['ConfigError', 'LogprobGateClosed', 'NonFiniteLoss'];

/** Beside the workflows: drawing tasks, grading, credit, records. */
export const light: ActivityInterfaceFor<LightActivities> = proxyActivities<LightActivities>({
  taskQueue: taskQueues.workflows,
  heartbeatTimeout: '10s',
  startToCloseTimeout: '10m',
  retry: { ...backoff, maximumAttempts: 8, nonRetryableErrorTypes: deterministic },
});

export const policy: ActivityInterfaceFor<PolicyActivities> = proxyActivities<PolicyActivities>({
  taskQueue: taskQueues.policy,
  heartbeatTimeout: '8s',
  startToCloseTimeout: '15m',
  retry: { ...backoff, maximumAttempts: 8, nonRetryableErrorTypes: deterministic },
});

/** Any sandbox worker: opens a sandbox with the first cell, or again elsewhere with the committed cells. */
export const anySandbox: ActivityInterfaceFor<SandboxActivities> = proxyActivities<SandboxActivities>({
  taskQueue: taskQueues.sandbox,
  heartbeatTimeout: '8s',
  startToCloseTimeout: '15m',
  retry: { ...backoff, maximumAttempts: 8 },
});

/** One attempt where the sandbox lives: whatever goes wrong there, the next one is elsewhere, and that is the workflow's to say. */
const atHome: ActivityOptions = {
  heartbeatTimeout: '8s',
  scheduleToStartTimeout: '5s',
  startToCloseTimeout: '15m',
  retry: { maximumAttempts: 1 },
};

/** The worker that holds a sandbox, by its own queue. */
export function sandboxAt(taskQueue: string): ActivityInterfaceFor<SandboxActivities> {
  return proxyActivities<SandboxActivities>({ ...atHome, taskQueue });
}

/** One slot per device. */
export const trainer: ActivityInterfaceFor<TrainerActivities> = proxyActivities<TrainerActivities>({
  taskQueue: taskQueues.trainer,
  heartbeatTimeout: '15s',
  startToCloseTimeout: '6h',
  retry: { ...backoff, maximumAttempts: 6, nonRetryableErrorTypes: deterministic },
});

/** Of `scout`: indexing, static scope, report. */
export const scouting: ActivityInterfaceFor<ScoutActivities> = proxyActivities<ScoutActivities>({
  taskQueue: taskQueues.scout,
  heartbeatTimeout: '10s',
  startToCloseTimeout: '15m',
  retry: { ...backoff, maximumAttempts: 8, nonRetryableErrorTypes: ['RepositoryError'] },
});

/**
 * Model calls of `scout`, one an attempt: repairs of answers are attempts too. Providers recover in minutes, not in milliseconds; where they say
 * when (`retry-after`), the failure carries it and this backoff is not used.
 */
export const modelCalls: ActivityInterfaceFor<ScoutActivities> = proxyActivities<ScoutActivities>({
  taskQueue: taskQueues.scout,
  heartbeatTimeout: '10s',
  startToCloseTimeout: '30m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 10, nonRetryableErrorTypes: ['RepositoryError'] },
});
