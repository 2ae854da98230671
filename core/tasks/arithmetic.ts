/** @file Family `arithmetic`: word problems of several steps with free Python; variables last from one turn to the next. */
import type { Random } from '../random.ts';
import { type Story, stories } from './arithmeticStories.ts';
import { answerTurn, codeTurn, slipsFormat, unclosedTurn } from './demonstration.ts';
import { integer, readOptions } from './options.ts';
import type { DemonstrationTurn, DraftTask, TaskFamily } from './task.ts';

export interface ArithmeticOptions {
  readonly maxTurns: number;
}

export const arithmetic: TaskFamily<ArithmeticOptions> = {
  name: 'arithmetic',
  description: 'Word problems of 2-4 steps (shopping, production, tanks, journeys, savings, ages) with free Python, checked as numbers',
  parseOptions: (options) => readOptions<ArithmeticOptions>('arithmetic', { maxTurns: { fallback: 8, read: integer(2, 64) } }, options),
  make: (random, options) => taskOf(random.pick(stories)(random), options),
};

function taskOf(story: Story, options: ArithmeticOptions): DraftTask {
  return {
    family: 'arithmetic',
    messages: [{ role: 'user', content: story.text }],
    setup: '',
    checker: { kind: 'numeric', expected: story.lines('right').at(-1)?.value as number, relativeTolerance: 1e-9 },
    maxTurns: options.maxTurns,
    toolRequired: true,
    observationStyle: 'full',
    observationCharacters: 500,
    demonstrate: (random, flawless) => demonstrate(story, random, flawless),
  };
}

/** Flaws: a misread sentence (systematic), a step forgotten, an unclosed tag. */
function demonstrate(story: Story, random: Random, flawless: boolean): DemonstrationTurn[] {
  const turns: DemonstrationTurn[] = [];
  const misread = !flawless && random.next() < 0.6;
  const lines = story.lines(misread ? 'misread' : 'right');
  const kept = !flawless && random.next() < 0.2 ? lines.slice(0, -1) : lines;
  if (slipsFormat(random, flawless)) turns.push(unclosedTurn(lines[0]?.code as string));
  for (const { name, code, value, isFloat } of kept) turns.push(codeTurn(`${name} = ${code}\n${name}`, pythonNumber(value, isFloat)));
  const last = kept.at(-1);
  return [...turns, answerTurn(last === undefined ? '0' : pythonNumber(last.value, last.isFloat))];
}

/** Python's repr of a number between 1e-4 and 1e16. */
function pythonNumber(value: number, isFloat: boolean): string {
  return isFloat && Number.isInteger(value) ? `${value}.0` : String(value);
}
