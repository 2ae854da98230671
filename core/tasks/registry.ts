/** @file The procedural families by name, and the task at an index: the same for ever, given the family, its options, the split and the seed. */
import { randomOf, seedOf } from '../random.ts';
import { arithmetic } from './arithmetic.ts';
import { calc } from './calc.ts';
import { chain } from './chain.ts';
import { debug } from './debug.ts';
import { program } from './program.ts';
import { search } from './search.ts';
import { splitOf } from './split.ts';
import type { DraftTask, Split, Task, TaskFamily } from './task.ts';

export type ProceduralTask = Task & DraftTask;

/** A family with its options read: draws no longer fail. */
export interface BoundFamily {
  readonly name: string;
  readonly make: (seed: number) => DraftTask;
  readonly makeForWarmup: (seed: number) => DraftTask;
  readonly heldOutAt?: (index: number) => DraftTask;
}

const families = [entry(chain), entry(debug), entry(calc), entry(search), entry(arithmetic), entry(program)] as const;

/** Families whose every text the 98-token vocabulary (`tags`) can spell. */
export const tagsFamilies: readonly string[] = ['chain', 'debug', 'calc', 'search'];

/** For `--help` and the docs. */
export const taskFamilies: readonly { readonly name: string; readonly description: string }[] = families.map(({ name, description }) => ({
  name,
  description,
}));

/** @throws Error naming the families there are, or the option that does not fit. */
export function bindFamily(name: string, options: Readonly<Record<string, unknown>>): BoundFamily {
  const family = families.find((candidate) => candidate.name === name);
  if (family === undefined) throw new Error(`task family: expected one of ${families.map((known) => known.name).join(', ')}, got '${name}'`);
  return family.bind(options);
}

function entry<Options>(family: TaskFamily<Options>) {
  return { name: family.name, description: family.description, bind: (options: Readonly<Record<string, unknown>>) => bound(family, options) };
}

function bound<Options>(family: TaskFamily<Options>, options: Readonly<Record<string, unknown>>): BoundFamily {
  const parsed = family.parseOptions(options);
  const warmup = family.warmupOptions?.(parsed) ?? parsed;
  const { heldOutAt } = family;
  return {
    name: family.name,
    make: (seed) => family.make(randomOf(seed), parsed),
    makeForWarmup: (seed) => family.make(randomOf(seed), warmup),
    ...(heldOutAt === undefined ? {} : { heldOutAt: (index: number) => heldOutAt(index, parsed) }),
  };
}

/** Train tasks depend on the run's seed, held-out tasks never do: runs are compared on the same questions. */
export function proceduralTask(source: { readonly name: string; readonly family: BoundFamily }, split: Split, index: number, seed: number): ProceduralTask {
  const draft = split === 'heldOut' ? heldOutDraft(source.family, index) : trainDraft(source, index, seed);
  return { ...draft, ref: { source: source.name, split, index }, id: `${source.name}/${split}/${index}` };
}

function trainDraft(source: { readonly name: string; readonly family: BoundFamily }, index: number, seed: number): DraftTask {
  return drawUntil('train', source.family, source.family.make, (attempt) => seedOf('task', seed, source.name, index, attempt));
}

function heldOutDraft(family: BoundFamily, index: number): DraftTask {
  return family.heldOutAt?.(index) ?? drawUntil('heldOut', family, family.make, (attempt) => seedOf('heldOut', family.name, index, attempt));
}

/** Draws again until the prompt is in the split; a family without a split by prompt takes the first draw. */
export function drawUntil(split: Split, family: BoundFamily, make: (seed: number) => DraftTask, seedAt: (attempt: number) => number): DraftTask {
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const draft = make(seedAt(attempt));
    if (family.heldOutAt !== undefined || splitOf(promptOf(draft)) === split) return draft;
  }
  throw new Error(`task family '${family.name}': expected a ${split} task within 10,000 draws; its options leave too few prompts, widen them`);
}

/** The text that decides the split: what the user says. */
export function promptOf(task: Pick<Task, 'messages'>): string {
  return task.messages
    .filter(({ role }) => role === 'user')
    .map(({ content }) => content)
    .join('\n');
}
