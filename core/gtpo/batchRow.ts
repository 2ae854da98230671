/** @file A credited trajectory as a row of the training batch: exactly the tokens that were sampled, each with its turn's advantage. */
import type { Trajectory } from '../rollout/trajectory.ts';
import type { BatchRow } from '../run/batch.ts';
import type { PerTurn, TurnCredit } from './types.ts';

export function batchRow(trajectory: Trajectory, credit: PerTurn<TurnCredit>): BatchRow {
  const { taskId, sibling, turns } = trajectory;
  const length = turns.reduce((sum, turn) => sum + turn.givenTokens.length + turn.sampledTokens.length, 0);
  const row = {
    taskId,
    sibling,
    tokens: new Int32Array(length),
    sampledMask: new Uint8Array(length),
    behaviorLogprobs: new Float32Array(length),
    advantages: new Float32Array(length),
  };
  let offset = 0;
  for (const [k, { givenTokens, sampledTokens, behaviorLogprobs }] of turns.entries()) {
    const [start, end] = [offset + givenTokens.length, offset + givenTokens.length + sampledTokens.length];
    row.tokens.set(givenTokens, offset);
    row.tokens.set(sampledTokens, start);
    row.sampledMask.fill(1, start, end);
    if (behaviorLogprobs.length !== sampledTokens.length)
      throw new Error(`batchRow ${taskId}/r${sibling}: expected ${sampledTokens.length} log-probabilities for turn ${k}, got ${behaviorLogprobs.length}`);
    row.behaviorLogprobs.set(behaviorLogprobs, start);
    row.advantages.fill(advantageOf(credit[k], taskId, sibling, k), start, end);
    offset = end;
  }
  return row;
}

function advantageOf(credit: TurnCredit | undefined, taskId: string, sibling: number, turn: number): number {
  if (credit === undefined || credit.advantage === null) throw new Error(`batchRow ${taskId}/r${sibling}: expected an advantage for turn ${turn}, got none`);
  return credit.advantage;
}
