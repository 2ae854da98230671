/** @file The turns of a demonstration, in the `tags` format, and the parts that every family's demonstrator shares. */
import type { Random } from '../random.ts';
import type { DemonstrationTurn } from './task.ts';

export function codeTurn(code: string, observation: string): DemonstrationTurn {
  return { text: `<code>${code}</code>`, observation };
}

export function answerTurn(answer: string): DemonstrationTurn {
  return { text: `<answer>${answer}</answer>` };
}

/** A call that forgets the closing tag, and how the turn is answered. */
export function unclosedTurn(code: string): DemonstrationTurn {
  return { text: `<code>${code}`, observation: 'SyntaxError' };
}

/** Share of flawed demonstrations that begin with a forgotten closing tag: 6 % of all when a fifth is flawless. */
const formatSlip = 0.075;

export function slipsFormat(random: Random, flawless: boolean): boolean {
  return !flawless && random.next() < formatSlip;
}

export function randomName(random: Random): string {
  return random.pick(letters) + random.pick(letters);
}

const letters = [...'abcdefghijklmnopqrstuvwxyz'];

/** `count` different two-letter names. */
export function randomNames(random: Random, count: number): string[] {
  const names = new Set<string>();
  while (names.size < count) names.add(randomName(random));
  return [...names];
}
