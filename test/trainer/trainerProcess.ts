/** @file A trainer worker's activities without a server: what tests build, and a process that can be killed. `node trainerProcess.ts HOME` warms up to the end. */
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { artifactRoot } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { createTrainingEngine } from '../../activities/policy/training/engine.ts';
import { createPrepareRun } from '../../activities/prepareRun.ts';
import { runConfigLoader } from '../../activities/runs/storedConfig.ts';
import { LoadedPolicy } from '../../activities/trainer/loadedPolicy.ts';
import { createUpdate } from '../../activities/update.ts';
import { createWarmUp } from '../../activities/warmUp.ts';
import type { RunConfig } from '../../core/run/config.ts';
import type { PreparedRun, UpdateInput, UpdateResult, WarmupInput } from '../../core/run/types.ts';
import { resolveRunConfig } from '../../workers/config/runConfig.ts';

export const run = 'tested';

/** Six warm-up steps in three commits, with everything else as in the recipe. */
export function testedConfig(changes: Readonly<Record<string, unknown>> = {}): RunConfig {
  return resolveRunConfig({ seed: 5, warmup: { steps: 6, batchSize: 4, stepsPerCommit: 2 }, training: { steps: 3 }, ...changes }, 'test');
}

export class TestedTrainer {
  readonly artifacts: ArtifactStore;
  readonly loaded: LoadedPolicy;
  readonly home: string;
  heartbeats = 0;
  readonly #activities: { prepareRun: ReturnType<typeof createPrepareRun>; warmUp: ReturnType<typeof createWarmUp>; update: ReturnType<typeof createUpdate> };

  constructor(home: string) {
    this.home = home;
    this.artifacts = new ArtifactStore(artifactRoot(home));
    this.loaded = new LoadedPolicy(home, () => createTrainingEngine({ threads: 1 }));
    const dependencies = { home, artifacts: this.artifacts, loadConfig: runConfigLoader(home), loaded: this.loaded };
    this.#activities = { prepareRun: createPrepareRun(dependencies), warmUp: createWarmUp(dependencies), update: createUpdate(dependencies) };
  }

  prepareRun(config: RunConfig): Promise<PreparedRun> {
    return this.environment().run(() => this.#activities.prepareRun({ run, config })) as Promise<PreparedRun>;
  }

  warmUp(input: Omit<WarmupInput, 'run'>): Promise<UpdateResult> {
    return this.environment().run(() => this.#activities.warmUp({ run, ...input })) as Promise<UpdateResult>;
  }

  update(input: Omit<UpdateInput, 'run'>, environment = this.environment()): Promise<UpdateResult> {
    return environment.run(() => this.#activities.update({ run, ...input })) as Promise<UpdateResult>;
  }

  environment(): MockActivityEnvironment {
    const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 60 }, { logger: new DefaultLogger('ERROR') });
    environment.on('heartbeat', () => {
      this.heartbeats += 1;
    });
    return environment;
  }

  /** The whole warm-up from wherever the run stands; `betweenCommits` may do harm. */
  async warmUpAll(config: RunConfig, betweenCommits: () => Promise<void> = async () => {}): Promise<PreparedRun> {
    const prepared = await this.prepareRun(config);
    const { steps, stepsPerCommit } = config.warmup;
    let { policy } = prepared;
    for (let step = prepared.warmupStep; step < steps; step += stepsPerCommit) {
      ({ policy } = await this.warmUp({ policy, fromStep: step + 1, toStep: Math.min(step + stepsPerCommit, steps) }));
      await betweenCommits();
    }
    return { ...prepared, policy, warmupStep: steps };
  }
}

if (process.argv[1] === join(import.meta.dirname, 'trainerProcess.ts')) {
  const trainer = new TestedTrainer(process.argv[2] as string);
  process.stdout.write('ready\n');
  const { policy } = await trainer.warmUpAll(testedConfig());
  process.stdout.write(`${policy.manifestSha256}\n`);
  await trainer.loaded.close();
}
