/** @file Grades played rollouts, in several parts where one payload would grow too large. */
import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { ArtifactRef, PlayedRollout, TrajectorySummary } from '../core/rollout/types.ts';
import { light } from './activities.ts';
import { badCheckpoint } from './failures.ts';
import type { SandboxReturns } from './sandboxes.ts';

/** Leaves room below the 64 KiB that we allow one payload. */
const gradePayloadBytes = 48 * 1024;

export interface Graded {
  readonly trajectories: readonly ArtifactRef[];
  /** In the order of the rollouts. */
  readonly summaries: readonly TrajectorySummary[];
}

export async function gradeRollouts(run: string, step: number, rollouts: readonly PlayedRollout[]): Promise<Graded> {
  const parts = partsBySize(rollouts, gradePayloadBytes);
  const results = await Promise.all(
    parts.map((part, index) => light.grade.executeWithOptions({ summary: `grade ${index + 1} of ${parts.length}` }, [{ run, step, rollouts: part }])),
  );
  const summaries = results.flatMap((result) => result.summaries);
  return { trajectories: results.map(({ trajectories }) => trajectories), summaries: summaries.map((summary, i) => withFailure(summary, rollouts[i])) };
}

/** Whoever waits for an operator because nothing could be played says why. */
function withFailure(summary: TrajectorySummary, rollout: PlayedRollout | undefined): TrajectorySummary {
  return rollout?.failure === undefined ? summary : { ...summary, failure: rollout.failure };
}

/**
 * Grades while the last sandboxes are closed. Under cancellation, and when the policy's checkpoint was refused, nothing is graded, and the
 * workflow ends when its sandboxes are closed.
 */
export async function gradedAndClosed(run: string, step: number, rollouts: readonly PlayedRollout[], sandboxes: SandboxReturns): Promise<Graded> {
  const cancelled = CancellationScope.current().consideredCancelled;
  try {
    if (cancelled) throw new CancelledFailure('cancelled while rollouts were played');
    const refused = rollouts.find(({ checkpointRefused }) => checkpointRefused);
    if (refused) throw ApplicationFailure.nonRetryable(refused.failure, badCheckpoint);
    return await gradeRollouts(run, step, rollouts);
  } finally {
    await sandboxes.settled();
  }
}

/** Consecutive parts whose JSON stays within `maxBytes`; a single item above it is a part of its own. */
export function partsBySize<Item>(items: readonly Item[], maxBytes: number): Item[][] {
  const parts: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = jsonByteLength(item) + 1;
    const last = parts.at(-1);
    if (last === undefined || bytes + size > maxBytes) {
      parts.push([item]);
      bytes = size;
    } else {
      last.push(item);
      bytes += size;
    }
  }
  return parts;
}

/** UTF-8 bytes of the value's JSON. */
function jsonByteLength(value: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(value)) {
    const point = character.codePointAt(0) as number;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
