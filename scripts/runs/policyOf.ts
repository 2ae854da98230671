/** @file The newest whole checkpoint of a run on disk, as workflows name it. */
import type { PolicyRef } from '../../core/rollout/types.ts';
import type { RunConfig } from '../../core/run/config.ts';
import type { RolloutConfig } from '../../core/run/types.ts';
import { listCheckpoints, openCheckpoint, readStoredConfig, runPaths, turnwiseHome } from '../../workers/onDisk.ts';
import { requireRun } from './runName.ts';

export interface RunOnDisk {
  readonly run: string;
  readonly config: RunConfig;
  readonly policy: PolicyRef;
}

/** @param checkpoint such as `global_step_12`; absent: the newest. Damaged ones are named, never moved. */
export async function runOnDisk(run: string, checkpoint?: string): Promise<RunOnDisk> {
  requireRun(run);
  const config = await readStoredConfig(turnwiseHome(), run);
  if (!config) throw new Error(`run ${run}: it has no configuration yet: npm run resume -- ${run}`);
  const { checkpoints } = runPaths(turnwiseHome(), run);
  const names = await listCheckpoints(checkpoints);
  const name = checkpoint ?? names.at(-1);
  if (name === undefined) throw new Error(`run ${run}: no checkpoint yet under ${checkpoints}: npm run resume -- ${run}`);
  if (!names.includes(name)) throw new Error(`run ${run}: expected one of its checkpoints, ${names.join(', ') || 'of which it has none yet'}, got ${name}`);
  return { run, config, policy: (await openCheckpoint(checkpoints, name)).policy };
}

export function rolloutConfigOf({ seed, sampling, limits }: RunConfig): RolloutConfig {
  const { temperature, topK, topP, maxTokensPerTurn } = sampling;
  return { seed, temperature, topK, topP, maxTokensPerTurn, rolloutTimeoutMs: limits.rolloutTimeoutMs };
}
