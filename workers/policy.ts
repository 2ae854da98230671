/** @file The policy worker: `generate` on the queue `turnwise-policy`. Decoding has a thread of its own, so that heartbeats go on. */
import { Worker } from '@temporalio/worker';
import { artifactRoot, turnwiseHome } from '../activities/artifacts/paths.ts';
import { ArtifactStore } from '../activities/artifacts/store.ts';
import { createGenerate } from '../activities/generate.ts';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import { verifiedPolicies } from '../activities/policy/verifiedPolicies.ts';
import { runConfigLoader } from '../activities/runs/storedConfig.ts';
import type { PolicyActivities } from '../activities/signatures.ts';
import { taskSourcesLoader } from '../activities/tasks/taskSources.ts';
import { taskQueues } from '../core/run/names.ts';
import { connectWorker } from './config/connection.ts';
import { loadTemporalConfig } from './config/temporalConfig.ts';
import { useSettledProvider } from './provider.ts';

// Without its supervisor a worker ends at once; its thread ends with it.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

await useSettledProvider();
const home = turnwiseHome();
const temporal = loadTemporalConfig();
const config = runConfigLoader(home);
const decoder = new Decoder();
const store = new ArtifactStore(artifactRoot(home));
const activities: PolicyActivities = {
  generate: createGenerate({ store, decoder, policies: verifiedPolicies(home), sources: taskSourcesLoader(config), config }),
};
const { connection, namespace } = await connectWorker();
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue: taskQueues.policy,
  activities,
  maxConcurrentActivityTaskExecutions: temporal.taskQueues.policy.slots,
  activityTaskPollerBehavior: { type: 'autoscaling', minimum: 4, initial: 10, maximum: 50 },
  shutdownGraceTime: temporal.shutdownGrace,
});
process.send?.({ ready: true });
try {
  await worker.run();
} finally {
  await decoder.close();
  await connection.close();
}
