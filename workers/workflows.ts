/** @file The workflow worker: every workflow, and the light activities beside them (drawing, grading, credit, records), on the queue `turnwise`. */
import { createAdvantages } from '../activities/advantages.ts';
import { artifactRoot, turnwiseHome } from '../activities/artifacts/paths.ts';
import { ArtifactStore } from '../activities/artifacts/store.ts';
import { createDrawTasks } from '../activities/drawTasks.ts';
import { createGrade } from '../activities/grade.ts';
import { createRecordEvaluation } from '../activities/recordEvaluation.ts';
import { createRecordStep } from '../activities/recordStep.ts';
import { runConfigLoader } from '../activities/runs/storedConfig.ts';
import { chooseBackend } from '../activities/sandbox/choose.ts';
import { createJudge } from '../activities/sandbox/judge.ts';
import type { SandboxBackend } from '../activities/sandbox/sandbox.ts';
import type { LightActivities } from '../activities/signatures.ts';
import { Embeddings } from '../activities/similarity/embeddings.ts';
import { createMathChecker } from '../activities/tasks/checkMath.ts';
import { taskSourcesLoader } from '../activities/tasks/taskSources.ts';
import { createWriteReport } from '../activities/writeReport.ts';
import { connectWorker } from './config/connection.ts';
import { backendRequest } from './config/sandboxBackend.ts';
import { createWorkflowWorker } from './workflowWorker.ts';

// Without its supervisor a worker ends at once; what it was doing is done again from the histories.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const home = turnwiseHome();
const store = new ArtifactStore(artifactRoot(home));
const config = runConfigLoader(home);
const sources = taskSourcesLoader(config);
const math = createMathChecker();
const embeddings = new Embeddings();
const judgeRequest = backendRequest('judge', 1);
let judging: SandboxBackend | undefined;
const judge = createJudge(async () => {
  const { backend } = await chooseBackend(judgeRequest);
  judging = backend;
  return backend;
});
const activities: LightActivities = {
  drawTasks: createDrawTasks({ sources }),
  grade: createGrade({ store, sources, config, math, judge }),
  advantages: createAdvantages({ home, store, embed: embeddings.embed }),
  recordStep: createRecordStep({ home }),
  recordEvaluation: createRecordEvaluation({ home }),
  writeReport: createWriteReport({ home }),
};
const { connection, namespace } = await connectWorker();
const worker = await createWorkflowWorker({ connection, namespace, activities });
process.send?.({ ready: true });
try {
  await worker.run();
} finally {
  await math.close();
  await embeddings.close();
  await judging?.shutdown();
  await connection.close();
}
