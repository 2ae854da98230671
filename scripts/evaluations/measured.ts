/** @file What an evaluation can be of: a checkpoint of a run, or any policy on the tasks of a configuration, as a run of its own that trains nothing. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { isHubName, parseHubName } from '../../core/model/hubName.ts';
import type { RunConfig } from '../../core/run/config.ts';
import { modelMemoryText, withPinnedModel } from '../../workers/modelPlan.ts';
import { listCheckpoints, namedPolicy, readStoredConfig, runPaths, turnwiseHome } from '../../workers/onDisk.ts';
import type { Processes } from '../../workers/supervisor/supervisor.ts';
import { validateContext, validateTasks } from '../../workers/tasks.ts';
import { exitCodes, say } from '../runs/command.ts';
import { playRun } from '../runs/playRun.ts';
import { type RunOnDisk, runOnDisk } from '../runs/policyOf.ts';
import { newRunName } from '../runs/runName.ts';

/** Whose tasks are played, as a person named it. */
export interface TaskOrigin {
  readonly config: RunConfig;
  readonly name: string;
}

/** A policy that can play the tasks, before there is a run of it. */
export interface Candidate {
  readonly name: string;
  readonly run: string;
  readonly config: RunConfig;
}

export async function isCheckpointOf(run: string, name: string): Promise<boolean> {
  return (await listCheckpoints(runPaths(turnwiseHome(), run).checkpoints)).includes(name);
}

/** Hugging Face directory of a policy that anything names: a run, the directory of a checkpoint, a model or an adapter. A name on the hub stays one. */
export async function policyPathOf(name: string): Promise<string> {
  if (!isHubName(name)) return resolve((await namedPolicy(turnwiseHome(), name, undefined, say)).path);
  parseHubName(name);
  return name;
}

/** Downloads what is on the hub. @throws Error when it cannot play the tasks: everything that can be known without processes. */
export async function candidateOf(name: string, path: string, tasks: TaskOrigin, prefix: 'evaluate' | 'against'): Promise<Candidate> {
  const { config } = tasks;
  const turnFormat = (await turnFormatOfRun(path)) ?? config.policy.turnFormat;
  const own = await withPinnedModel(measuringConfig({ ...config, policy: { ...config.policy, turnFormat } }, path), say);
  await modelMemoryText(own);
  await validateContext(own).catch((error: Error) => {
    throw new Error(`${name} cannot play the tasks of ${tasks.name}: ${error.message}; measure on a configuration with a shorter one`, { cause: error });
  });
  await checkSameTasks(config, own);
  return { name, run: newRunName(prefix), config: own };
}

/** @throws Error when the run that is made of a candidate does not end well. */
export async function measured(policy: RunOnDisk | Candidate, processes: Processes, signal: AbortSignal): Promise<RunOnDisk> {
  if ('policy' in policy) return policy;
  const code = await playRun({ run: policy.run, config: policy.config, isPart: true }, processes, signal);
  if (code !== exitCodes.done) throw new Error(`run ${policy.run}: it did not end well, so ${policy.name} was not measured`);
  return runOnDisk(policy.run);
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
