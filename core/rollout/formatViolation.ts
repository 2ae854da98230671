/** @file Whether a turn broke the format: at most one violation a turn, as in Group Turn Policy Optimization (arXiv 2511.14846). */
import { isSyntaxError } from './observation.ts';
import type { Action, ExecutionSummary } from './types.ts';

export interface TurnToJudge {
  /** From 0. */
  readonly turn: number;
  readonly action: Pick<Action, 'kind'>;
  readonly execution?: Pick<ExecutionSummary, 'errorType'>;
}

/** Malformed text, code that does not parse, or an answer before any tool was called. Code that raises is no violation: it is how one learns. */
export function formatViolation(turn: TurnToJudge, toolRequired: boolean): boolean {
  if (turn.action.kind === 'malformed') return true;
  if (turn.action.kind === 'answer') return toolRequired && turn.turn === 0;
  return isSyntaxError(turn.execution?.errorType);
}
