/** @file Family `calc`: a short story of additions, subtractions and multiplications on two-digit numbers, computed one operation a turn. */
import type { Random } from '../random.ts';
import { answerTurn, codeTurn, randomName, slipsFormat, unclosedTurn } from './demonstration.ts';
import { integers, readOptions } from './options.ts';
import type { DemonstrationTurn, DraftTask, TaskFamily } from './task.ts';

export interface CalcOptions {
  /** How many operations, drawn from this list. */
  readonly steps: readonly number[];
  readonly warmupSteps: readonly number[];
}

type Operator = '+' | '-' | '*';

interface Story {
  readonly name: string;
  readonly first: number;
  readonly events: readonly { readonly verb: string; readonly operand: number; readonly operator: Operator }[];
  readonly result: number;
}

const operators: readonly Operator[] = ['+', '-', '*'];
const verbs: Readonly<Record<Operator, readonly string[]>> = {
  '+': ['gets', 'finds', 'buys'],
  '-': ['loses', 'sells', 'eats'],
  '*': ['packs', 'copies', 'times'],
};
/** How a careless reader takes each verb: four of nine wrongly, always the same way. */
const careless: Readonly<Record<string, Operator>> = {
  finds: '+',
  buys: '-',
  gets: '+',
  loses: '-',
  sells: '+',
  eats: '-',
  packs: '*',
  copies: '+',
  times: '*',
};

export const calc: TaskFamily<CalcOptions> = {
  name: 'calc',
  description: 'ab has 12 pens, gets 5, sells 3. How many? 2-3 operations, each verb means one',
  parseOptions: (options) =>
    readOptions<CalcOptions>(
      'calc',
      { steps: { fallback: [2, 3], read: integers(1, 5) }, warmupSteps: { fallback: [1, 2, 2, 3], read: integers(1, 5) } },
      options,
    ),
  warmupOptions: (options) => ({ ...options, steps: options.warmupSteps }),
  make: (random, options) => taskOf(drawStory(random, random.pick(options.steps))),
};

/** Operators first, so that the verbs are balanced; then numbers until every intermediate result has two digits. */
function drawStory(random: Random, steps: number): Story {
  const drawn = Array.from({ length: steps }, () => random.pick(operators));
  for (;;) {
    const first = random.integer(11, 99);
    const operands = drawn.map(() => random.integer(2, 9));
    let result = first;
    const fits = drawn.every((operator, i) => {
      result = apply(operator, result, operands[i] as number);
      return result >= 10 && result <= 99;
    });
    if (!fits) continue;
    const events = drawn.map((operator, i) => ({ verb: random.pick(verbs[operator]), operand: operands[i] as number, operator }));
    return { name: randomName(random), first, events, result };
  }
}

function apply(operator: Operator, left: number, right: number): number {
  if (operator === '+') return left + right;
  return operator === '-' ? left - right : left * right;
}

function taskOf(story: Story): DraftTask {
  const events = story.events.map(({ verb, operand }) => `, ${verb} ${operand}`).join('');
  return {
    family: 'calc',
    messages: [{ role: 'user', content: `${story.name} has ${story.first} pens${events}. How many?` }],
    setup: '',
    checker: { kind: 'exact', expected: String(story.result) },
    maxTurns: story.events.length + 3,
    toolRequired: true,
    observationStyle: 'terse',
    observationCharacters: 8,
    demonstrate: (random, flawless) => demonstrate(story, random, flawless),
  };
}

/** Flaws: each operation is taken the careless way or at random. */
function demonstrate({ first, events }: Story, random: Random, flawless: boolean): DemonstrationTurn[] {
  const turns: DemonstrationTurn[] = [];
  if (slipsFormat(random, flawless)) turns.push(unclosedTurn(`${first}+${(events[0] as { operand: number }).operand}`));
  let result = first;
  for (const { verb, operand, operator } of events) {
    const wrong = () => (random.next() < 0.5 ? (careless[verb] as Operator) : random.pick(operators));
    const taken = flawless ? operator : wrong();
    const code = `${result}${taken}${operand}`;
    result = apply(taken, result, operand);
    turns.push(codeTurn(code, String(result)));
  }
  return [...turns, answerTurn(String(result))];
}
