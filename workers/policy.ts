/**
 * @file The policy worker: `generate` and the workflows that play rollouts, on the queue `turnwise-policy`. Decoding has a thread of its own,
 * so that heartbeats go on.
 */
import { artifactRoot, turnwiseHome } from '../activities/artifacts/paths.ts';
import { ArtifactStore } from '../activities/artifacts/store.ts';
import { createGenerate } from '../activities/generate.ts';
import { createGenerateForEvaluation } from '../activities/generateForEvaluation.ts';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import { verifiedPolicies } from '../activities/policy/verifiedPolicies.ts';
import { runConfigLoader } from '../activities/runs/storedConfig.ts';
import type { PolicyActivities } from '../activities/signatures.ts';
import { taskSourcesLoader } from '../activities/tasks/taskSources.ts';
import { connectWorker } from './config/connection.ts';
import { useSettledProvider } from './provider.ts';
import { createPolicyWorker } from './workflowWorker.ts';

// Without its supervisor a worker ends at once; its thread ends with it.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

await useSettledProvider();
const home = turnwiseHome();
const config = runConfigLoader(home);
const decoder = new Decoder();
const store = new ArtifactStore(artifactRoot(home));
const dependencies = { store, decoder, policies: verifiedPolicies(home), sources: taskSourcesLoader(config), config };
const activities: PolicyActivities = { generate: createGenerate(dependencies), generateForEvaluation: createGenerateForEvaluation(dependencies) };
const { connection, namespace } = await connectWorker();
const worker = await createPolicyWorker({ connection, namespace, activities });
process.send?.({ ready: true });
try {
  await worker.run();
} finally {
  await decoder.close();
  await connection.close();
}
