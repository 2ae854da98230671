/** @file The tasks and limits that a directory is measured on, for a policy that stays as it is. */
import type { RunConfig } from '../../core/run/config.ts';
import { loadRunConfig } from '../../workers/config/runConfig.ts';

/** Options of `evaluate`. */
export interface DirectoryTasks {
  readonly config: string;
  readonly taskFile?: string;
  /** Of `taskFile`. */
  readonly checker: string;
  readonly family?: string;
}

export function directoryConfig(path: string, tasks: DirectoryTasks): RunConfig {
  const { contextLength, turnFormat } = loadRunConfig(tasks.config).policy;
  const policy = `policy=${JSON.stringify({ path, contextLength, turnFormat })}`;
  return loadRunConfig(tasks.config, ['warmup={steps: 0}', policy, ...taskOverrides(tasks)]);
}

function taskOverrides({ taskFile, checker, family }: DirectoryTasks): string[] {
  if (family !== undefined) return [`tasks=[{family: ${JSON.stringify(family)}}]`];
  return taskFile === undefined ? [] : [`tasks=[{name: file, file: ${JSON.stringify(taskFile)}, checker: ${checker}, heldOutFraction: 1}]`];
}
