/** @file What a plan says of an existing model: its size, the memory that it takes, and of one of the hub its commit. */

import { modelDirectoryOf, pinnedModel } from '../activities/checkpoint/modelSource.ts';
import { readPolicyConfigOf } from '../activities/trainer/initialPolicy.ts';
import { memoryBytes } from '../activities/trainer/machineMemory.ts';
import { memoryEstimate, memoryProblem } from '../core/model/memory.ts';
import type { RunConfig } from '../core/run/config.ts';

/** The configuration with a model of the hub by its commit, which the run's record then has. Downloads it, since everything else is checked against it. */
export async function withPinnedModel(config: RunConfig): Promise<RunConfig> {
  const { path } = config.policy;
  if (path === null) return config;
  const pinned = await pinnedModel(path);
  await modelDirectoryOf(pinned);
  return { ...config, policy: { ...config.policy, path: pinned } };
}

/** @throws Error with the key and what to do, when the model cannot be read or does not fit into this machine. */
export async function modelMemoryText({ policy }: RunConfig): Promise<string | undefined> {
  if (policy.path === null) return undefined;
  const { config, lora } = await readPolicyConfigOf(policy.path, policy.lora ?? null);
  const problem = memoryProblem(config, lora, memoryBytes());
  if (problem !== undefined) throw new Error(`policy.path: ${problem}`);
  const { trainedParameters, trainerBytes, policyWorkerBytes } = memoryEstimate(config, lora);
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;
  return `${trainedParameters.toLocaleString('en')} trained parameters; weights and optimiser: ${megabytes(trainerBytes)} in the trainer, ${megabytes(policyWorkerBytes)} in the policy worker; activations on top`;
}
