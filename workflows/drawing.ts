/** @file Draws tasks from a run's task stream, page by page, so that many tasks do not make one large payload. */
import type { TaskCard } from '../core/rollout/types.ts';
import type { DrawTasksInput } from '../core/run/types.ts';
import { light } from './activities.ts';

/** A card is at most about 500 bytes. */
const cardsPerPage = 96;

export async function drawTasks(input: DrawTasksInput): Promise<TaskCard[]> {
  const end = input.offset + input.count;
  const pages: DrawTasksInput[] = [];
  for (let offset = input.offset; offset < end; offset += cardsPerPage) pages.push({ ...input, offset, count: Math.min(cardsPerPage, end - offset) });
  return (await Promise.all(pages.map((page) => light.drawTasks(page)))).flat();
}
