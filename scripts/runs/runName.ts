/** @file Names for new runs, and a check of those that people give. */
import { existsSync } from 'node:fs';
import { runPaths, turnwiseHome } from '../../workers/onDisk.ts';

/** `<prefix>-<month><day>-<hour><minute><second>`, for example `quickstart-1123-141503`. */
export function newRunName(prefix: string, now = new Date()): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const day = `${pad(now.getMonth() + 1)}${pad(now.getDate())}`;
  return `${prefix}-${day}-${pad(now.getHours())}${pad(now.getMinutes())}${pad(now.getSeconds())}`;
}

/** @throws Error when a run of that name is on disk already. */
export function refuseExisting(run: string): void {
  const { root } = runPaths(turnwiseHome(), run);
  if (existsSync(root)) throw new Error(`run ${run}: ${root} exists already: \`npm run resume -- ${run}\` goes on with it; give a new run another name`);
}
