/** @file When a trajectory ends, and how it then counts. A failure of the machinery is an outcome of its own and never becomes a reward. */
import type { FinishReason, Outcome, StopReason } from './types.ts';

export interface TurnEnd {
  /** From 0. */
  readonly turn: number;
  readonly actionKind: 'code' | 'answer' | 'malformed';
  readonly finishReason: FinishReason;
  /** T so far. */
  readonly contextTokens: number;
  /** The task's own rule ended it (ExecuteResult.ended). */
  readonly ended: boolean;
}

/** The reason to stop after this turn; undefined while the trajectory goes on. */
export function stopReasonAfter(end: TurnEnd, limits: { readonly maxTurns: number; readonly tokenBudget: number }): StopReason | undefined {
  if (end.finishReason === 'length') return end.contextTokens >= limits.tokenBudget ? 'tokenBudget' : 'turnLength';
  if (end.actionKind === 'answer') return 'submitted';
  if (end.ended) return 'ended';
  if (end.turn + 1 >= limits.maxTurns) return 'maxTurns';
  return end.contextTokens >= limits.tokenBudget ? 'tokenBudget' : undefined;
}

const failures: Partial<Record<StopReason, Outcome>> = { modelError: 'model_error', infraError: 'infra_error', cancelled: 'cancelled' };

/** Outcome of a trajectory that has nothing to check; undefined where the task's checker has to be asked. */
export function failureOutcome(stopReason: StopReason): Outcome | undefined {
  return failures[stopReason];
}

/** `solved` is the checker's verdict; undefined where the trajectory left nothing to check. */
export function outcomeOf(stopReason: StopReason, solved: boolean | undefined): Outcome {
  const failure = failureOutcome(stopReason);
  if (failure !== undefined) return failure;
  if (solved) return 'solved';
  return stopReason === 'submitted' || stopReason === 'ended' ? 'failed' : 'truncated';
}

/** 1 solved, 0 failed or truncated, null where no reward exists. */
export function outcomeReward(outcome: Outcome): number | null {
  if (outcome === 'solved') return 1;
  return outcome === 'failed' || outcome === 'truncated' ? 0 : null;
}
