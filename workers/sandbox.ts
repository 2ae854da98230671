/** @file The sandbox worker: one process, two task queues. New rollouts come by the shared queue; their later turns by this worker's own, where their sandbox is. */
import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { Worker } from '@temporalio/worker';
import { artifactRoot, turnwiseHome } from '../activities/artifacts/paths.ts';
import { ArtifactStore } from '../activities/artifacts/store.ts';
import { createCloseSandboxes } from '../activities/closeSandboxes.ts';
import { createExecute } from '../activities/execute.ts';
import { runConfigLoader } from '../activities/runs/storedConfig.ts';
import { Backends } from '../activities/sandbox/backends.ts';
import { chooseBackend, embeddedBackend } from '../activities/sandbox/choose.ts';
import { engineOf } from '../activities/sandbox/docker/engine.ts';
import { reapRegularly } from '../activities/sandbox/docker/reaper.ts';
import { SandboxTable } from '../activities/sandbox/table.ts';
import type { SandboxActivities } from '../activities/signatures.ts';
import { taskSourcesLoader } from '../activities/tasks/taskSources.ts';
import { taskQueues } from '../core/run/names.ts';
import { connectWorker } from './config/connection.ts';
import { backendRequest } from './config/sandboxBackend.ts';
import { loadTemporalConfig } from './config/temporalConfig.ts';

/**
 * Cells in progress. They wait for an interpreter here, where their heartbeats show it: a task that waits in the worker's own queue would be taken for one
 * whose worker is dead.
 */
const autoSlots = 256;

/** Sandboxes that are open at a time: the backend itself lets rollouts wait for its memory. */
const tableOptions = { leaseMs: 15 * 60_000, capacity: 1024, maxWaiting: 1024 };

/** Made while the first turns are being sampled; more follow when they are asked for. */
const spareBoxes = 4 * availableParallelism();

// Without its supervisor a worker ends at once; its boxes and interpreter processes follow when their stdin closes.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref(); // and the channel alone does not keep it alive

const taskQueue = `${taskQueues.sandbox}/${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
const home = turnwiseHome();
const temporal = loadTemporalConfig();
const request = backendRequest('rollouts', spareBoxes);
const { backend, description } = await chooseBackend(request);
console.log(description);
// One that was asked for Docker has nothing else; one that took what there was also serves runs that ask for the embedded sandbox.
const backends = new Backends(backend, request.choice === 'auto' ? embeddedBackend : undefined);
const reaper =
  backend.name === 'docker' ? reapRegularly(engineOf().docker, (ids) => console.log(`removed ${ids.length} boxes that nobody owned any more`)) : undefined;
const table = new SandboxTable(tableOptions);
const config = runConfigLoader(home);
const activities: SandboxActivities = {
  execute: createExecute({ backends, table, store: new ArtifactStore(artifactRoot(home)), taskQueue, sources: taskSourcesLoader(config), config }),
  closeSandboxes: createCloseSandboxes({ table, taskQueue }),
};
const { connection, namespace } = await connectWorker();
const { slots } = temporal.taskQueues.sandbox;
const workers = await Promise.all(
  [taskQueues.sandbox, taskQueue].map((queue) =>
    Worker.create({
      connection,
      namespace,
      taskQueue: queue,
      activities,
      maxConcurrentActivityTaskExecutions: slots === 'auto' ? autoSlots : slots,
      activityTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 5, maximum: 20 },
      shutdownGraceTime: temporal.shutdownGrace,
    }),
  ),
);
await backend.warm();
process.send?.({ ready: true, note: description });
try {
  await Promise.all(workers.map((worker) => worker.run()));
} finally {
  reaper?.stop();
  await table.closeAll();
  await backends.shutdown();
  await connection.close();
}
