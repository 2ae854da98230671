/** @file Family `chain`: follow relations between people through tools, one call a turn, and report a number at the end. */
import type { Random } from '../random.ts';
import { answerTurn, codeTurn, randomNames, slipsFormat, unclosedTurn } from './demonstration.ts';
import { lookedUp, lookupTools, type Table } from './lookup.ts';
import { integers, readOptions } from './options.ts';
import type { DemonstrationTurn, DraftTask, TaskFamily } from './task.ts';

export interface ChainOptions {
  /** Person hops, drawn from this list; one number follows. */
  readonly hops: readonly number[];
  /** The same for demonstrations: the shortest chains teach copying. */
  readonly warmupHops: readonly number[];
}

interface Chain {
  readonly start: string;
  /** Relations in the order of the calls, inside-out; the last gives a number. */
  readonly relations: readonly string[];
  readonly tables: Readonly<Record<string, Table>>;
}

const personRelations = ['boss', 'friend', 'aunt', 'coach'] as const;
const numberRelations = ['room', 'age', 'desk'] as const;

export const chain: TaskFamily<ChainOptions> = {
  name: 'chain',
  description: 'What is the age of the boss of kj? Each relation is a tool; 1-3 person hops, then a number',
  parseOptions: (options) =>
    readOptions<ChainOptions>(
      'chain',
      { hops: { fallback: [1, 2, 2, 3, 3], read: integers(0, 6) }, warmupHops: { fallback: [0, 1, 1, 2, 2, 3, 3], read: integers(0, 6) } },
      options,
    ),
  warmupOptions: (options) => ({ ...options, hops: options.warmupHops }),
  make: (random, options) => taskOf(drawChain(random, random.pick(options.hops))),
};

function drawChain(random: Random, hops: number): Chain {
  const people = randomNames(random, 8);
  const relations: string[] = Array.from({ length: hops }, () => random.pick(personRelations));
  if (hops >= 2 && random.next() < 0.8) while (relations[0] === relations[1]) relations[1] = random.pick(personRelations);
  const numbers = Array.from({ length: 90 }, (_, i) => 10 + i);
  const tables: Record<string, Table> = {};
  for (const relation of personRelations) {
    tables[relation] = Object.fromEntries(people.map((person) => [person, random.pick(people.filter((other) => other !== person))]));
  }
  for (const relation of numberRelations) {
    const drawn = random.sample(numbers, people.length);
    tables[relation] = Object.fromEntries(people.map((person, i) => [person, drawn[i] as number]));
  }
  return { start: people[0] as string, relations: [...relations, random.pick(numberRelations)], tables };
}

function taskOf(drawn: Chain): DraftTask {
  const { start, relations, tables } = drawn;
  const gold = relations.reduce((key, relation) => String((tables[relation] as Table)[key]), start);
  return {
    family: 'chain',
    messages: [{ role: 'user', content: `What is the ${relations.toReversed().join(' of the ')} of ${start}?` }],
    setup: lookupTools(tables),
    checker: { kind: 'exact', expected: gold },
    maxTurns: relations.length + 3,
    toolRequired: true,
    observationStyle: 'terse',
    observationCharacters: 8,
    demonstrate: (random, flawless) => demonstrate(drawn, random, flawless),
  };
}

/** Flaws: mostly the reading order (systematic), else random person hops, a wrong attribute, or a skipped hop. */
function demonstrate({ start, relations, tables }: Chain, random: Random, flawless: boolean): DemonstrationTurn[] {
  const turns: DemonstrationTurn[] = [];
  if (slipsFormat(random, flawless)) turns.push(unclosedTurn(`${relations[0]}('${start}')`));
  let shown = start;
  for (const relation of flawless ? relations : flawedRelations(relations, random)) {
    const key = shown;
    shown = lookedUp(tables[relation], key).replaceAll("'", '');
    turns.push(codeTurn(`${relation}('${key}')`, lookedUp(tables[relation], key)));
  }
  return [...turns, answerTurn(shown)];
}

function flawedRelations(relations: readonly string[], random: Random): string[] {
  const hops = relations.slice(0, -1);
  const last = relations.at(-1) as string;
  const flaw = random.next();
  if (flaw < 0.6) return [...hops.toReversed(), last];
  if (flaw < 0.85) return [...hops.map((hop) => (random.next() < 0.5 ? random.pick(personRelations) : hop)), last];
  if (flaw < 0.94) return [...hops, random.pick(numberRelations)];
  return [...hops.slice(0, -1), last];
}
