/** @file The trainer worker: `prepareRun`, `warmUp` and `update` on the queue `turnwise-trainer`. The compute has a thread of its own, so that heartbeats go on. */
import { Worker } from '@temporalio/worker';
import { artifactRoot, turnwiseHome } from '../activities/artifacts/paths.ts';
import { ArtifactStore } from '../activities/artifacts/store.ts';
import { createTrainingEngine } from '../activities/policy/training/engine.ts';
import { createPrepareRun } from '../activities/prepareRun.ts';
import { runConfigLoader } from '../activities/runs/storedConfig.ts';
import type { TrainerActivities } from '../activities/signatures.ts';
import type { TrainerDependencies } from '../activities/trainer/dependencies.ts';
import { LoadedPolicy } from '../activities/trainer/loadedPolicy.ts';
import { createUpdate } from '../activities/update.ts';
import { createWarmUp } from '../activities/warmUp.ts';
import { taskQueues } from '../core/run/names.ts';
import { connectWorker } from './config/connection.ts';
import { loadTemporalConfig } from './config/temporalConfig.ts';
import { useSettledProvider } from './provider.ts';

// Without its supervisor a worker ends at once; its thread ends with it, and a half-written checkpoint is never seen.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

await useSettledProvider();
const home = turnwiseHome();
const temporal = loadTemporalConfig();
const loaded = new LoadedPolicy(home, createTrainingEngine);
const trainer: TrainerDependencies = { home, artifacts: new ArtifactStore(artifactRoot(home)), loadConfig: runConfigLoader(home), loaded };
const activities: TrainerActivities = { prepareRun: createPrepareRun(trainer), warmUp: createWarmUp(trainer), update: createUpdate(trainer) };
const { connection, namespace } = await connectWorker();
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: taskQueues.trainer,
  activities,
  // One policy is held at a time: a second activity would take it away from the first.
  maxConcurrentActivityTaskExecutions: 1,
  shutdownGraceTime: temporal.shutdownGrace,
});
process.send?.({ ready: true });
try {
  await worker.run();
} finally {
  await loaded.close();
  await connection.close();
}
