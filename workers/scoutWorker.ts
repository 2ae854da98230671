/** @file The worker that scouts: its activities and how it polls, the same for production and tests. */
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createAnalyze } from '../activities/analyze.ts';
import { artifactRoot } from '../activities/artifacts/paths.ts';
import { ArtifactStore } from '../activities/artifacts/store.ts';
import { createIndexRepository } from '../activities/indexRepository.ts';
import { repositoryOpener } from '../activities/repository/openRepository.ts';
import { createScope } from '../activities/scope.ts';
import { createScopeStatically } from '../activities/scopeStatically.ts';
import { createAsk } from '../activities/scout/ask.ts';
import type { ScoutActivities } from '../activities/signatures.ts';
import { createSynthesize } from '../activities/synthesize.ts';
import { createWriteScoutReport } from '../activities/writeScoutReport.ts';
import { taskQueues } from '../core/run/names.ts';
import { loadTemporalConfig, type TemporalConfig } from './config/temporalConfig.ts';

export interface ScoutWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly home: string;
  /** Keys of models are read from here and nowhere else. */
  readonly environment: NodeJS.ProcessEnv;
}

export async function createScoutWorker(options: ScoutWorkerOptions, config: TemporalConfig = loadTemporalConfig()): Promise<Worker> {
  const { slots, perSecond } = config.taskQueues.scout;
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: taskQueues.scout,
    activities: scoutActivities(options),
    maxConcurrentActivityTaskExecutions: slots,
    // Of the queue as a whole, however many workers it has: providers count calls, not machines.
    maxTaskQueueActivitiesPerSecond: perSecond,
    shutdownGraceTime: config.shutdownGrace,
  });
}

function scoutActivities({ home, environment }: ScoutWorkerOptions): ScoutActivities {
  const store = new ArtifactStore(artifactRoot(home));
  const openRepository = repositoryOpener(home);
  const scouts = { home, store, openRepository, ask: createAsk(environment) };
  return {
    indexRepository: createIndexRepository({ home }),
    scopeStatically: createScopeStatically({ store, openRepository }),
    scope: createScope(scouts),
    analyze: createAnalyze(scouts),
    synthesize: createSynthesize(scouts),
    writeScoutReport: createWriteScoutReport(scouts),
  };
}
