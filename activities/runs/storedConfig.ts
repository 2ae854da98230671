/** @file A run's configuration on disk: written once when the run is made, read by every activity that needs more than its input. */
import { readFile } from 'node:fs/promises';
import type { RunConfig } from '../../core/run/config.ts';
import { writeFileAtomic } from '../artifacts/atomicWrite.ts';
import { runPaths } from '../artifacts/paths.ts';

export type LoadRunConfig = (run: string) => Promise<RunConfig>;

/** Reads each run's config.json once: it never changes after the run was made. */
export function runConfigLoader(home: string): LoadRunConfig {
  const loaded = new Map<string, Promise<RunConfig>>();
  return (run) => {
    const known = loaded.get(run);
    if (known !== undefined) return known;
    const reading = readStoredConfig(home, run).then((config) => {
      if (config !== undefined) return config;
      throw new Error(`run ${run}: expected ${runPaths(home, run).config}, found none; prepareRun writes it when the run starts`);
    });
    loaded.set(run, reading);
    // A failure is not remembered: the run may be made a moment later.
    reading.catch(() => loaded.delete(run));
    return reading;
  };
}

/** Undefined when the run does not exist yet. */
export async function readStoredConfig(home: string, run: string): Promise<RunConfig | undefined> {
  const path = runPaths(home, run).config;
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const config = JSON.parse(text) as RunConfig;
  if (config.version !== 1) throw new Error(`${path}: expected version 1, got ${JSON.stringify(config.version)}; it was written by another release`);
  return config;
}

export async function writeStoredConfig(home: string, run: string, config: RunConfig): Promise<void> {
  await writeFileAtomic(runPaths(home, run).config, `${JSON.stringify(config, null, 2)}\n`);
}

/** One line for each key where two configurations differ: `training.steps: 60 → 150`. */
export function configDifferences(stored: unknown, given: unknown, path = ''): readonly string[] {
  if (Object.is(stored, given)) return [];
  if (!isContainer(stored) || !isContainer(given) || Array.isArray(stored) !== Array.isArray(given)) {
    return [`${path}: ${textOf(stored)} → ${textOf(given)}`];
  }
  const keys = new Set([...Object.keys(stored), ...Object.keys(given)]);
  return [...keys].flatMap((key) => configDifferences(stored[key], given[key], path === '' ? key : `${path}.${key}`));
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string {
  return value === undefined ? '(not set)' : JSON.stringify(value);
}

/** The same text for equal configurations, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) =>
    isContainer(entry) && !Array.isArray(entry) ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1))) : entry,
  );
}
