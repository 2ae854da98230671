/** @file Family `debug`: each item's stock is behind `new` or `old`, and the wrong one raises KeyError, from which the policy must recover. */
import type { Random } from '../random.ts';
import { answerTurn, codeTurn, randomNames, slipsFormat, unclosedTurn } from './demonstration.ts';
import { lookedUp, lookupTools, type Table } from './lookup.ts';
import { integers, readOptions } from './options.ts';
import type { DemonstrationTurn, DraftTask, TaskFamily } from './task.ts';

export interface DebugOptions {
  /** How many names, drawn from this list. */
  readonly items: readonly number[];
  readonly warmupItems: readonly number[];
}

interface Stock {
  readonly items: readonly string[];
  readonly tables: { readonly new: Table; readonly old: Table };
  readonly total: number;
}

export const debug: TaskFamily<DebugOptions> = {
  name: 'debug',
  description: 'Total stock of ab and cd? Some names are only in old(): the KeyError of new() has to be recovered from',
  parseOptions: (options) =>
    readOptions<DebugOptions>(
      'debug',
      { items: { fallback: [2, 2, 3], read: integers(1, 6) }, warmupItems: { fallback: [1, 2, 2, 3], read: integers(1, 6) } },
      options,
    ),
  warmupOptions: (options) => ({ ...options, items: options.warmupItems }),
  make: (random, options) => taskOf(drawStock(random, random.pick(options.items))),
};

function drawStock(random: Random, count: number): Stock {
  const items = randomNames(random, count);
  const tables: { new: Record<string, number>; old: Record<string, number> } = { new: {}, old: {} };
  let total = 0;
  for (const item of items) {
    const pieces = random.integer(10, 99);
    tables[random.next() < 0.5 ? 'old' : 'new'][item] = pieces;
    total += pieces;
  }
  return { items, tables, total };
}

function taskOf(stock: Stock): DraftTask {
  return {
    family: 'debug',
    messages: [{ role: 'user', content: `Total stock of ${stock.items.join(' and ')}?` }],
    setup: lookupTools(stock.tables),
    checker: { kind: 'exact', expected: String(stock.total) },
    maxTurns: 2 * stock.items.length + 3,
    toolRequired: true,
    observationStyle: 'terse',
    observationCharacters: 8,
    demonstrate: (random, flawless) => demonstrate(stock, random, flawless),
  };
}

/** Flaws: giving up on an item after KeyError (systematic), asking `new` again, answering none, multiplying, leaving the last item out. */
function demonstrate(stock: Stock, random: Random, flawless: boolean): DemonstrationTurn[] {
  const turns: DemonstrationTurn[] = [];
  if (slipsFormat(random, flawless)) turns.push(unclosedTurn(`new('${stock.items[0]}')`));
  const found: string[] = [];
  for (const item of stock.items) {
    const pieces = askFor(stock, item, random, flawless, turns);
    if (pieces === undefined) return [...turns, answerTurn('none')];
    found.push(pieces);
  }
  const plus = flawless || random.next() < 0.6;
  const counted = found.length > 2 && !flawless && random.next() < 0.5 ? found.slice(0, 2) : found;
  const numbers = counted.map(Number);
  const result = String(plus ? numbers.reduce((sum, x) => sum + x, 0) : numbers.reduce((product, x) => product * x, 1));
  return [...turns, codeTurn(counted.join(plus ? '+' : '*'), result), answerTurn(result)];
}

/** The number found for an item, `0` when the demonstrator gives it up, undefined when it gives everything up. */
function askFor(stock: Stock, item: string, random: Random, flawless: boolean, turns: DemonstrationTurn[]): string | undefined {
  const ask = (table: 'new' | 'old') => {
    const shown = lookedUp(stock.tables[table], item);
    turns.push(codeTurn(`${table}('${item}')`, shown));
    return shown;
  };
  const first = ask('new');
  if (first !== 'KeyError') return first;
  if (flawless) return ask('old');
  const flaw = random.next();
  if (flaw < 0.6) return '0';
  if (flaw < 0.7) {
    ask('new');
    return '0';
  }
  return flaw < 0.9 ? undefined : ask('old');
}
