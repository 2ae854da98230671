/** @file What an evaluation can be of: a checkpoint of a run, or any policy on the tasks of a configuration, as a run of its own that trains nothing. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { isHubName } from '../../core/model/hubName.ts';
import type { RunConfig } from '../../core/run/config.ts';
import { withPinnedModel } from '../../workers/modelPlan.ts';
import { listCheckpoints, namedPolicy, readStoredConfig, runPaths, turnwiseHome } from '../../workers/onDisk.ts';
import type { Processes } from '../../workers/supervisor/supervisor.ts';
import { validateTasks } from '../../workers/tasks.ts';
import { exitCodes, say } from '../runs/command.ts';
import { playRun } from '../runs/playRun.ts';
import { type RunOnDisk, runOnDisk } from '../runs/policyOf.ts';
import { newRunName, requireRun } from '../runs/runName.ts';

export async function configOfRun(run: string): Promise<RunConfig> {
  requireRun(run);
  const config = await readStoredConfig(turnwiseHome(), run);
  if (config === undefined) throw new Error(`run ${run}: it has no configuration yet: npm run resume -- ${run}`);
  return config;
}

export async function isCheckpointOf(run: string, name: string): Promise<boolean> {
  return (await listCheckpoints(runPaths(turnwiseHome(), run).checkpoints)).includes(name);
}

/** Of a policy that anything names: a run, the directory of a checkpoint, a model or an adapter, a name on the hub. @throws when it cannot be played. */
export async function measuredPolicy(name: string, config: RunConfig, processes: Processes, signal: AbortSignal, prefix = 'evaluate'): Promise<RunOnDisk> {
  const path = isHubName(name) ? name : resolve((await namedPolicy(turnwiseHome(), name, undefined, say)).path);
  const turnFormat = (await turnFormatOfRun(path)) ?? config.policy.turnFormat;
  const own = await withPinnedModel(measuringConfig({ ...config, policy: { ...config.policy, turnFormat } }, path), say);
  await checkSameTasks(config, own);
  const run = newRunName(prefix);
  const code = await playRun({ run, config: own }, processes, signal);
  if (code !== exitCodes.done) throw new Error(`run ${run}: it did not end well, so ${name} was not measured`);
  return runOnDisk(run);
}

/** The turn format that a policy was trained in, when `path` is a checkpoint's in the directory of its run. */
async function turnFormatOfRun(path: string): Promise<RunConfig['policy']['turnFormat'] | undefined> {
  const runRoot = resolve(path, '../../..');
  if (basename(dirname(runRoot)) !== 'runs' || !existsSync(resolve(path, '../MANIFEST.json'))) return undefined;
  return (await readStoredConfig(resolve(runRoot, '../..'), basename(runRoot)))?.policy.turnFormat;
}

/** The same tasks, limits, seed and sampling, with another policy that stays as it is. */
function measuringConfig(config: RunConfig, path: string): RunConfig {
  return {
    ...config,
    policy: { ...config.policy, path, base: undefined, lora: null },
    warmup: { ...config.warmup, steps: 0, chats: null },
    training: { ...config.training, steps: 0 },
    gate: { minSampledSolved: 0 },
    evaluation: { tasks: 1, every: 0, modes: ['greedy'], samplesPerTask: 1 },
  };
}

/** Which rows of a file are too long for a context depends on the policy's tokenizer. */
async function checkSameTasks(config: RunConfig, own: RunConfig): Promise<void> {
  const [mine, theirs] = await Promise.all([config, own].map(async (one) => (await validateTasks({ ...one, training: own.training })).files));
  for (const [name, file] of mine ?? []) {
    if (JSON.stringify(file.heldOut) === JSON.stringify(theirs?.get(name)?.heldOut)) continue;
    throw new Error(
      `--against: expected both policies to be asked the same tasks of ${file.path}, but other rows are too long for one of them; drop long rows`,
    );
  }
}
