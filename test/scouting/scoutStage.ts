/** @file Real workers on a real server for the workflow `scout`: real index, real HTTP to a scripted model. */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { artifactRoot } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import type { LightActivities } from '../../activities/signatures.ts';
import { taskQueues, workflowIds } from '../../core/run/names.ts';
import type { ModelChoice, ScoutInput, ScoutProgress, ScoutResult } from '../../core/scout/run.ts';
import { loadTemporalConfig } from '../../workers/config/temporalConfig.ts';
import { createScoutWorker } from '../../workers/scoutWorker.ts';
import { createWorkflowWorker } from '../../workers/workflowWorker.ts';

let quiet = false;

export type Changes = Partial<Omit<ScoutInput, 'issue' | 'limits'>> & { readonly issue?: string; readonly limits?: Partial<ScoutInput['limits']> };

export interface StageOptions {
  readonly address: string;
  readonly home: string;
  /** Activities begun a second; the default of temporal.yaml when absent. */
  readonly perSecond?: number;
}

export class ScoutStage {
  readonly client: Client;
  readonly home: string;
  readonly #close: () => Promise<void>;

  private constructor(client: Client, home: string, close: () => Promise<void>) {
    this.client = client;
    this.home = home;
    this.#close = close;
  }

  static async open({ address, home, perSecond }: StageOptions): Promise<ScoutStage> {
    if (!quiet) Runtime.install({ logger: new DefaultLogger('ERROR') });
    quiet = true;
    const [connection, native] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address })]);
    const base = { connection: native, namespace: 'default' };
    const config = loadTemporalConfig();
    const scout = { ...config.taskQueues.scout, ...(perSecond !== undefined && { perSecond }) };
    const workers = await Promise.all([
      // `scout` asks nothing of the light activities.
      createWorkflowWorker({ ...base, activities: {} as LightActivities }),
      createScoutWorker({ ...base, home, environment: {} }, { ...config, taskQueues: { ...config.taskQueues, scout } }),
    ]);
    const running = Promise.all(workers.map((worker) => worker.run()));
    return new ScoutStage(new Client({ connection, namespace: 'default' }), home, async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await Promise.all([connection.close(), native.close()]);
    });
  }

  async start(directory: string, issue: string, model: ModelChoice | null, changes: Changes = {}): Promise<WorkflowHandle> {
    const input = await scoutInput(this.home, directory, issue, model, changes);
    return this.client.workflow.start('scout', { taskQueue: taskQueues.workflows, workflowId: workflowIds.scout(input.scout), args: [input] });
  }

  close(): Promise<void> {
    return this.#close();
  }
}

export async function scoutInput(home: string, directory: string, issue: string, model: ModelChoice | null, changes: Changes = {}): Promise<ScoutInput> {
  const text = await new ArtifactStore(artifactRoot(home)).toText(changes.issue ?? issue);
  const limits = { tokens: 400_000, dollars: null, targets: 15, concurrency: 4, relevance: 0.5, ...changes.limits };
  return { scout: `s-${randomUUID().slice(0, 8)}`, repository: { directory }, model, ...changes, issue: text, limits };
}

export function progressOf(handle: WorkflowHandle): Promise<ScoutProgress> {
  return handle.query<ScoutProgress>('progress');
}

export function resultOf(handle: WorkflowHandle): Promise<ScoutResult> {
  return handle.result() as Promise<ScoutResult>;
}
