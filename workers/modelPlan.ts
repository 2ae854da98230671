/** @file What a plan says of an existing model: its size, the memory that it takes, and of one of the hub its commit. */

import { baseDirectoryOf, isAdapterDirectory, movingBaseOf } from '../activities/checkpoint/adapterDirectory.ts';
import type { Tell } from '../activities/checkpoint/hub/downloadProgress.ts';
import { modelDirectoryOf, pinnedModel } from '../activities/checkpoint/modelSource.ts';
import { readPolicyConfigOf } from '../activities/trainer/initialPolicy.ts';
import { memoryBytes } from '../activities/trainer/machineMemory.ts';
import { isHubName, parseHubName } from '../core/model/hubName.ts';
import { memoryEstimate, memoryProblem } from '../core/model/memory.ts';
import type { RunConfig } from '../core/run/config.ts';

/** The configuration with a model of the hub, and the base of an adapter there, by their commits, which the run's record then has. Downloads them, since everything else is checked against them. */
export async function withPinnedModel(config: RunConfig, tell?: Tell): Promise<RunConfig> {
  const { path } = config.policy;
  if (path === null) return config;
  const pinned = await pinnedModel(path);
  const directory = await modelDirectoryOf(pinned, tell);
  const base = await pinnedBase(config.policy.base, await movingBaseOf(directory));
  if (await isAdapterDirectory(directory)) await baseDirectoryOf(directory, base, tell);
  return { ...config, policy: { ...config.policy, path: pinned, ...(base !== undefined && { base }) } };
}

/** @param given `policy.base`. @param named as the adapter names a base whose commit it does not say. */
async function pinnedBase(given: string | undefined, named: string | undefined): Promise<string | undefined> {
  if (given === undefined) return named === undefined ? undefined : pinnedModel(named);
  if (named === undefined)
    throw new Error('policy.base: it has no effect, since policy.path names a whole model, or an adapter that says itself which base it has; remove it');
  if (!isHubName(given) || parseHubName(given).repo !== parseHubName(named).repo)
    throw new Error(`policy.base: expected a revision of the base that the adapter names, ${named}, got ${given}`);
  return pinnedModel(given);
}

/** @throws Error with the key and what to do, when the model cannot be read or does not fit into this machine. */
export async function modelMemoryText({ policy }: RunConfig): Promise<string | undefined> {
  if (policy.path === null) return undefined;
  const { config, lora } = await readPolicyConfigOf({ ...policy, path: policy.path });
  const problem = memoryProblem(config, lora, policy.contextLength, memoryBytes(), policy.recomputeActivations);
  if (problem !== undefined) throw new Error(`policy.path: ${problem}`);
  const { trainedParameters, trainerBytes, activationBytes, policyWorkerBytes } = memoryEstimate(
    config,
    lora,
    policy.contextLength,
    policy.recomputeActivations,
  );
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;
  const trainer = `${megabytes(trainerBytes)} and at most ${megabytes(activationBytes)} of activations in the trainer`;
  return `${trainedParameters.toLocaleString('en')} trained parameters; weights and optimiser: ${trainer}, ${megabytes(policyWorkerBytes)} in the policy worker`;
}
