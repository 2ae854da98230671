/** @file Family `search`: find a hidden number by probing. The policy chooses how many turns it takes, up to a cap; a hit ends and solves. */
import type { Random } from '../random.ts';
import { codeTurn, unclosedTurn } from './demonstration.ts';
import { fraction, integer, readOptions } from './options.ts';
import type { DemonstrationTurn, DraftTask, TaskFamily } from './task.ts';

export interface SearchOptions {
  /** The number is in 0 … range − 1. */
  readonly range: number;
  readonly maxTurns: number;
  /** Share of demonstrated turns with a slip: a missing bracket, tag or argument. */
  readonly slips: number;
}

export const search: TaskFamily<SearchOptions> = {
  name: 'search',
  description: 'find: probe(n) answers low, high or hit; the policy chooses its turns. Its prompt says nothing, so nothing is held out',
  parseOptions: (options) =>
    readOptions<SearchOptions>(
      'search',
      {
        range: { fallback: 32, read: integer(2, 10_000) },
        maxTurns: { fallback: 12, read: integer(1, 64) },
        slips: { fallback: 0.02, read: fraction() },
      },
      options,
    ),
  make: (random, options) => taskOf(random.integer(0, options.range - 1), options),
  heldOutAt: (index, options) => taskOf(index % options.range, options),
};

function taskOf(secret: number, options: SearchOptions): DraftTask {
  return {
    family: 'search',
    messages: [{ role: 'user', content: 'find' }],
    setup: probeTool(secret),
    checker: { kind: 'probe', secret },
    maxTurns: options.maxTurns,
    toolRequired: true,
    observationStyle: 'terse',
    observationCharacters: 8,
    endsOn: "'hit'",
    demonstrate: (random, flawless) => demonstrate(secret, options, random, flawless),
  };
}

function probeTool(secret: number): string {
  return [
    'def _tool(secret):',
    "    def probe(n): return 'hit' if n == secret else 'low' if n < secret else 'high'",
    '    return probe',
    `probe = _tool(${secret})`,
    'del _tool',
  ].join('\n');
}

/** Flaws: guesses that ignore what is known, creep upward from the lower end, or fall anywhere inside; and slips. Flawless is bisection. */
function demonstrate(secret: number, options: SearchOptions, random: Random, flawless: boolean): DemonstrationTurn[] {
  const turns: DemonstrationTurn[] = [];
  let [low, high] = [0, options.range - 1];
  while (turns.length < options.maxTurns) {
    if (!flawless && random.next() < options.slips) {
      turns.push(slip(random, random.integer(low, high)));
      continue;
    }
    const guess = flawless ? (low + high) >> 1 : flawedGuess(random, low, high, options.range);
    const shown = guess === secret ? 'hit' : guess < secret ? 'low' : 'high';
    turns.push(codeTurn(`probe(${guess})`, `'${shown}'`));
    if (shown === 'hit') break;
    if (shown === 'low') low = Math.max(low, guess + 1);
    else high = Math.min(high, guess - 1);
  }
  return turns;
}

function slip(random: Random, guess: number): DemonstrationTurn {
  const kind = random.integer(0, 2);
  if (kind === 0) return codeTurn(`probe(${guess}`, 'SyntaxError');
  return kind === 1 ? unclosedTurn(`probe(${guess})`) : codeTurn('probe()', 'TypeError');
}

function flawedGuess(random: Random, low: number, high: number, range: number): number {
  const kind = random.next();
  if (kind < 0.1) return random.integer(0, range - 1);
  if (kind < 0.5) return Math.min(high, low + random.integer(0, 2));
  return kind < 0.63 ? (low + high) >> 1 : random.integer(low, high);
}
