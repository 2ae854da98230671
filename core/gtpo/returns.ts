/** @file R_j = Σ_{m ≥ j} γ^(m−j) r_m: what a turn and everything after it earned. */
import type { PerTurn } from './types.ts';

export function discountedReturns(rewards: PerTurn<number>, gamma: number): PerTurn<number> {
  const returns = new Array<number>(rewards.length);
  let running = 0;
  for (let turn = rewards.length - 1; turn >= 0; turn--) {
    running = (rewards[turn] as number) + gamma * running;
    returns[turn] = running;
  }
  return returns;
}
