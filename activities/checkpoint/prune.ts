/** @file Which checkpoints stay, and the removal of the others. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { positionOf } from './checkpointName.ts';
import { listCheckpoints } from './findCheckpoint.ts';

export interface Keep {
  readonly keepLast: number;
  /** 0: none beyond the last ones. */
  readonly keepEvery: number;
}

/**
 * Of names in training order, those to remove. The current and the previous checkpoint always stay, because policy workers may be
 * loading them; so does the one that reinforcement learning started from, because the report compares with it.
 */
export function prunable(names: readonly string[], { keepLast, keepEvery }: Keep): readonly string[] {
  const start = names.findLast((name) => positionOf(name)?.globalStep === 0);
  return names.slice(0, -Math.max(2, keepLast)).filter((name) => {
    const { globalStep = 0, warmupStep = 0 } = positionOf(name) ?? {};
    const isMilestone = keepEvery > 0 && warmupStep === 0 && globalStep % keepEvery === 0;
    return name !== start && !isMilestone;
  });
}

/** Called after `latest` has moved to `current`; later checkpoints (of a history that was reset) are left alone. Answers with the names that are gone. */
export async function pruneCheckpoints(checkpoints: string, current: string, keep: Keep): Promise<readonly string[]> {
  const all = await listCheckpoints(checkpoints);
  const names = prunable(all.slice(0, all.indexOf(current) + 1), keep);
  for (const name of names) {
    // Renamed first: a checkpoint that is half removed must not look like one that is torn.
    const doomed = join(checkpoints, `.${name}.pruned.tmp`);
    await rm(doomed, { recursive: true, force: true });
    await rename(join(checkpoints, name), doomed);
    await rm(doomed, { recursive: true, force: true });
  }
  return names;
}
