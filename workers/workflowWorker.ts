/** @file A worker that runs workflows, with the activities beside them: the same for production, tests and benchmarks. */
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { LightActivities, PolicyActivities } from '../activities/signatures.ts';
import { taskQueues } from '../core/run/names.ts';
import { workflowBundle } from './bundle.ts';
import { loadTemporalConfig, type TemporalConfig } from './config/temporalConfig.ts';

interface Options<Activities> {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: Activities;
}

/** `train`, `step` and `warmup`, and the light activities. */
export async function createWorkflowWorker(options: Options<LightActivities>, config: TemporalConfig = loadTemporalConfig()): Promise<Worker> {
  return Worker.create({ ...options, ...(await playing('workflows', config)) });
}

/** The workflows that play rollouts, and `generate`. */
export async function createPolicyWorker(options: Options<PolicyActivities>, config: TemporalConfig = loadTemporalConfig()): Promise<Worker> {
  return Worker.create({
    ...options,
    ...(await playing('policy', config)),
    activityTaskPollerBehavior: { type: 'autoscaling', minimum: 4, initial: 10, maximum: 50 },
  });
}

/**
 * Workflow tasks in progress at a time. They share one thread anyway; while a task waits for its turn, activities of its workflow complete and
 * share it, instead of costing a task each.
 */
const workflowTasks = 4;

/** One a process: each has a cache and a workflow thread of its own. */
async function playing(role: 'workflows' | 'policy', { taskQueues: queues, shutdownGrace }: TemporalConfig): Promise<Omit<WorkerOptions, 'activities'>> {
  const { slots, maxCachedWorkflows, stickyTimeout } = queues[role];
  return {
    taskQueue: taskQueues[role],
    workflowBundle: await workflowBundle(),
    maxConcurrentActivityTaskExecutions: slots,
    // As many as there are slots: what a workflow asks for is begun by the worker that ran it.
    maxEagerActivityReservationsPerWorkflowTask: slots,
    maxCachedWorkflows,
    // What a killed worker costs the workflows that it had in its cache.
    stickyQueueScheduleToStartTimeout: stickyTimeout,
    maxConcurrentWorkflowTaskExecutions: workflowTasks,
    shutdownGraceTime: shutdownGrace,
  };
}
