/** @file Sampling seeds: the same (run seed, step, task, sibling, turn) gives the same tokens, whatever was killed in between. */
import { seedOf } from '../random.ts';

export interface TurnKey {
  readonly runSeed: number;
  readonly step: number;
  readonly taskId: string;
  readonly sibling: number;
  readonly turn: number;
}

export function samplingSeed(key: TurnKey): number {
  return seedOf('sampling', key.runSeed, key.step, key.taskId, key.sibling, key.turn);
}
