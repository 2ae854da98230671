/** @file The worker that runs workflows, with the light activities beside them: the same for production, tests and benchmarks. */
import { type NativeConnection, Worker } from '@temporalio/worker';
import type { LightActivities } from '../activities/signatures.ts';
import { taskQueues } from '../core/run/names.ts';
import { workflowBundle } from './bundle.ts';
import { loadTemporalConfig, type TemporalConfig } from './config/temporalConfig.ts';

export interface WorkflowWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: LightActivities;
}

/** One a process: each has a cache and a workflow thread of its own. */
export async function createWorkflowWorker(options: WorkflowWorkerOptions, config: TemporalConfig = loadTemporalConfig()): Promise<Worker> {
  const { slots, maxCachedWorkflows, stickyTimeout } = config.taskQueues.workflows;
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: taskQueues.workflows,
    workflowBundle: await workflowBundle(),
    activities: options.activities,
    maxConcurrentActivityTaskExecutions: slots,
    maxCachedWorkflows,
    // What a killed workflow worker costs the workflows that it had in its cache.
    stickyQueueScheduleToStartTimeout: stickyTimeout,
    workflowTaskPollerBehavior: { type: 'autoscaling', minimum: 4, initial: 10, maximum: 50 },
    maxConcurrentWorkflowTaskExecutions: 100,
    shutdownGraceTime: config.shutdownGrace,
  });
}
