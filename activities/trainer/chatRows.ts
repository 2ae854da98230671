/** @file Which chats a warm-up step is trained on: the file in epochs, each in an order of its own. A pure function of (file, seed, step). */
import { randomOf, seedOf } from '../../core/random.ts';
import type { RunConfig } from '../../core/run/config.ts';
import type { Metrics } from '../../core/run/types.ts';
import type { SupervisedRow } from '../policy/training/types.ts';
import type { ChatFile } from '../tasks/chatFile.ts';

/** The rows of a step, from 1. A batch may begin in one epoch and end in the next. */
export function chatRows(chats: ChatFile, { seed, warmup }: Pick<RunConfig, 'seed' | 'warmup'>): (step: number) => readonly SupervisedRow[] {
  const { rows } = chats;
  const orders = new Map<number, readonly SupervisedRow[]>();
  const rowAt = (draw: number) => {
    const epoch = Math.floor(draw / rows.length);
    const order = orders.get(epoch) ?? randomOf(seedOf('chats', seed, epoch)).sample(rows, rows.length);
    orders.set(epoch, order);
    return order[draw % rows.length] as SupervisedRow;
  };
  return (step) => Array.from({ length: warmup.batchSize }, (_, i) => rowAt((step - 1) * warmup.batchSize + i));
}

/** What became of the file up to a step, for the step's metrics. */
export function chatMetrics({ rows, leftOut, truncated }: ChatFile, batchSize: number, step: number): Metrics {
  const drawn = step * batchSize;
  return { 'chats/trained': drawn, 'chats/epochs': drawn / rows.length, 'chats/left_out': leftOut, 'chats/truncated': truncated };
}
