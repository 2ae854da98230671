/** @file One wall-clock limit for rollouts that start together: one timer a workflow, not one a rollout. */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

export interface Deadline {
  readonly passed: boolean;
}

/**
 * What `play` has in flight is cancelled when the time is up; `deadline.passed` then tells it from a cancellation by people.
 * `null`: no limit but those of the activities; then no result depends on the clock.
 */
export async function withDeadline<Result>(milliseconds: number | null, play: (deadline: Deadline) => Promise<Result>): Promise<Result> {
  const deadline = { passed: false };
  if (milliseconds === null) return play(deadline);
  const playing = new CancellationScope();
  const waiting = new CancellationScope();
  const timer = waiting.run(async () => {
    await sleep(milliseconds, { summary: 'rollout timeout' });
    deadline.passed = true;
    playing.cancel();
  });
  // The timer ends by cancellation in nearly every group; anything else is a bug and must surface.
  const watched = timer.catch((error: unknown) => {
    if (!isCancellation(error)) throw error;
  });
  try {
    return await playing.run(() => play(deadline));
  } finally {
    waiting.cancel();
    await watched;
  }
}
