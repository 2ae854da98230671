/** @file Real workers on a real server, whose activities play the scene of the run that asks. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { RunConfig } from '../../core/run/config.ts';
import { taskQueues, workflowIds } from '../../core/run/names.ts';
import type { TrainInput } from '../../core/run/types.ts';
import { createPolicyWorker, createWorkflowWorker } from '../../workers/workflowWorker.ts';
import { type Activities, Scene } from './scene.ts';

const namespace = 'default';
let quiet = false;

export class Stage {
  readonly client: Client;
  readonly #scenes = new Map<string, Scene>();
  readonly #sandboxQueue: string;
  readonly #close: () => Promise<void>;

  private constructor(client: Client, scenes: Map<string, Scene>, sandboxQueue: string, close: () => Promise<void>) {
    this.client = client;
    this.#scenes = scenes;
    this.#sandboxQueue = sandboxQueue;
    this.#close = close;
  }

  static async open(address: string): Promise<Stage> {
    if (!quiet) Runtime.install({ logger: new DefaultLogger('ERROR') });
    quiet = true;
    const [connection, native] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address })]);
    const scenes = new Map<string, Scene>();
    const sandboxQueue = `${taskQueues.sandbox}-${randomUUID().slice(0, 8)}`;
    const workers = await startWorkers(native, scenes, sandboxQueue);
    const running = Promise.all(workers.map((worker) => worker.run()));
    const close = async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await Promise.all([connection.close(), native.close()]);
    };
    return new Stage(new Client({ connection, namespace }), scenes, sandboxQueue, close);
  }

  /** A name for a run and the scripted activities that it meets. */
  scene(name: string, overrides: (scripted: Activities) => Partial<Activities> = () => ({})): { readonly run: string; readonly scene: Scene } {
    const run = `${name}-${randomUUID().slice(0, 8)}`;
    const scene = new Scene(this.#sandboxQueue, overrides);
    this.#scenes.set(run, scene);
    return { run, scene };
  }

  /** Starts `train` for a run of `scene`. */
  train(run: string, config: RunConfig) {
    return this.client.workflow.start<(input: TrainInput) => Promise<unknown>>('train', {
      taskQueue: taskQueues.workflows,
      workflowId: workflowIds.train(run),
      args: [{ run, config }],
    });
  }

  close(): Promise<void> {
    return this.#close();
  }
}

async function startWorkers(connection: NativeConnection, scenes: Map<string, Scene>, sandboxQueue: string): Promise<Worker[]> {
  const sceneOf = (run: string): Scene => {
    const scene = scenes.get(run);
    if (scene === undefined) throw new Error(`stage: expected a scene of run ${run}, got none`);
    return scene;
  };
  const dispatch = (name: keyof Activities) => (input: never) => {
    return sceneOf(runOf(input)).call(name, input);
  };
  const pick = <Name extends keyof Activities>(...names: Name[]) =>
    Object.fromEntries(names.map((name) => [name, dispatch(name)])) as unknown as Pick<Activities, Name>;
  const base = { connection, namespace };
  const sandbox = pick('execute', 'closeSandboxes');
  return Promise.all([
    createWorkflowWorker({ ...base, activities: pick('drawTasks', 'grade', 'advantages', 'recordStep', 'recordEvaluation', 'writeReport') }),
    createPolicyWorker({ ...base, activities: pick('generate', 'generateForEvaluation') }),
    Worker.create({ ...base, taskQueue: taskQueues.sandbox, activities: sandbox, maxConcurrentActivityTaskExecutions: 256 }),
    Worker.create({ ...base, taskQueue: sandboxQueue, activities: sandbox, maxConcurrentActivityTaskExecutions: 256 }),
    Worker.create({ ...base, taskQueue: taskQueues.trainer, activities: pick('prepareRun', 'warmUp', 'update'), maxConcurrentActivityTaskExecutions: 1 }),
  ]);
}

/** Sandboxes are named after their owner, whose id is a path that begins with the run's: `train/<run>/…`. */
function runOf(input: { readonly run?: string; readonly sandboxes?: readonly { readonly id: string }[] }): string {
  return input.run ?? input.sandboxes?.[0]?.id.split('/')[1] ?? 'unknown';
}
