/** @file Names for new runs, and a check of those that people give. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runPaths, turnwiseHome } from '../../workers/onDisk.ts';

/** `<prefix>-<month><day>-<hour><minute><second>`, for example `quickstart-1123-141503`. */
export function newRunName(prefix: string, now = new Date()): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const day = `${pad(now.getMonth() + 1)}${pad(now.getDate())}`;
  return `${prefix}-${day}-${pad(now.getHours())}${pad(now.getMinutes())}${pad(now.getSeconds())}`;
}

export function isRunOnDisk(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]*$/.test(text) && existsSync(runPaths(turnwiseHome(), text).root);
}

/** @throws Error that lists the runs there are, when no run of that name is on disk. */
export function requireRun(run: string): void {
  const { root } = runPaths(turnwiseHome(), run);
  if (existsSync(root)) return;
  const runs = join(turnwiseHome(), 'runs');
  const names = existsSync(runs) ? readdirSync(runs).toSorted() : [];
  const known = names.length === 0 ? 'it has none yet; `npm run quickstart` makes one' : `it has ${names.slice(-8).join(', ')}${names.length > 8 ? ', …' : ''}`;
  throw new Error(`run ${run}: no such run in ${runs}: ${known}`);
}

/** @throws Error when a run of that name is on disk already. */
export function refuseExisting(run: string): void {
  const { root } = runPaths(turnwiseHome(), run);
  if (existsSync(root)) throw new Error(`run ${run}: ${root} exists already: \`npm run resume -- ${run}\` goes on with it; give a new run another name`);
}
