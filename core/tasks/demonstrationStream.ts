/**
 * @file The fresh demonstrations of one warm-up step. Eight batches are drawn together, sorted by length and shuffled, so that a batch holds
 * demonstrations of like length; yet every step is a pure function of (seed, step), so that any of them can be made alone after a restart.
 */
import { type Random, randomOf, seedOf } from '../random.ts';
import type { TaskSourceConfig } from '../run/config.ts';
import { type BoundFamily, bindFamily, drawUntil } from './registry.ts';
import type { DemonstrationTurn, Message } from './task.ts';

export interface Demonstration {
  readonly messages: readonly Message[];
  readonly turns: readonly DemonstrationTurn[];
  readonly family: string;
}

export interface DemonstrationSource {
  readonly name: string;
  readonly weight: number;
  readonly family: BoundFamily;
}

export interface DemonstrationOptions {
  readonly seed: number;
  readonly batchSize: number;
  readonly flawlessFraction: number;
}

/** The procedural entries of a run's `tasks`; users' files carry no demonstrations. */
export function demonstrationSources(tasks: readonly TaskSourceConfig[]): DemonstrationSource[] {
  return tasks.flatMap((task) => ('family' in task ? [{ name: task.name, weight: task.weight, family: bindFamily(task.family, task.options) }] : []));
}

const batchesDrawnTogether = 8;

/** Calling it for step after step draws each set of eight batches once; `step` counts from 1. */
export function demonstrationStream(sources: readonly DemonstrationSource[], options: DemonstrationOptions): (step: number) => readonly Demonstration[] {
  if (sources.length === 0)
    throw new Error('warm-up: expected at least one procedural task source (`family`) to draw demonstrations from, got none; set warmup.steps to 0');
  let drawn: { readonly set: number; readonly batches: readonly (readonly Demonstration[])[] } | undefined;
  return (step) => {
    const set = Math.floor((step - 1) / batchesDrawnTogether);
    if (drawn?.set !== set) drawn = { set, batches: batchesOf(sources, options, set) };
    return drawn.batches[(step - 1) % batchesDrawnTogether] as readonly Demonstration[];
  };
}

function batchesOf(sources: readonly DemonstrationSource[], options: DemonstrationOptions, set: number): (readonly Demonstration[])[] {
  const { seed, batchSize, flawlessFraction } = options;
  const demonstrations = Array.from({ length: batchSize * batchesDrawnTogether }, (_, position) => {
    const path = ['warmup', seed, set, position] as const;
    return demonstrationOf(sources, path, flawlessFraction);
  });
  const sorted = demonstrations.toSorted((a, b) => lengthOf(a) - lengthOf(b));
  const batches = Array.from({ length: batchesDrawnTogether }, (_, i) => sorted.slice(i * batchSize, (i + 1) * batchSize));
  return randomOf(seedOf('warmup', seed, set, 'order')).sample(batches, batchesDrawnTogether);
}

function demonstrationOf(sources: readonly DemonstrationSource[], path: readonly (string | number)[], flawlessFraction: number): Demonstration {
  const random = randomOf(seedOf(...path));
  const { family } = pickWeighted(random, sources);
  const task = drawUntil('train', family, family.makeForWarmup, (attempt) => seedOf(...path, 'task', attempt));
  return { messages: task.messages, turns: task.demonstrate(random, random.next() < flawlessFraction), family: family.name };
}

/** In characters: near enough to tokens for sorting. */
function lengthOf(demonstration: Demonstration): number {
  const turns = demonstration.turns.reduce((sum, { text, observation }) => sum + text.length + (observation?.length ?? 0), 0);
  return demonstration.messages.reduce((sum, { content }) => sum + content.length, turns);
}

export function pickWeighted<T extends { readonly weight: number }>(random: Random, entries: readonly T[]): T {
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.next() * total;
  for (const entry of entries) {
    left -= entry.weight;
    if (left < 0) return entry;
  }
  return entries.findLast(({ weight }) => weight > 0) as T;
}
