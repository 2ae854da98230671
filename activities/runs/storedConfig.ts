/** @file A run's configuration on disk: written once when the run is made, read by every activity that needs more than its input. */
import { readFile, stat } from 'node:fs/promises';
import type { RunConfig } from '../../core/run/config.ts';
import { writeFileAtomic } from '../artifacts/atomicWrite.ts';
import { runPaths } from '../artifacts/paths.ts';

export type LoadRunConfig = (run: string) => Promise<RunConfig>;

/**
 * Reads each run's config.json once, and again when it is another file: a run whose directory was removed may be made anew under its name
 * while workers live. Equal answers are the same object.
 */
export function runConfigLoader(home: string): LoadRunConfig {
  const loaded = new Map<string, { readonly file: string | undefined; readonly config: Promise<RunConfig> }>();
  return async (run) => {
    const file = await fileIdentity(runPaths(home, run).config);
    const known = loaded.get(run);
    if (known !== undefined && (file === undefined || known.file === file)) return known.config;
    const reading = readStoredConfig(home, run).then((config) => {
      if (config !== undefined) return config;
      throw new Error(`run ${run}: expected ${runPaths(home, run).config}, found none; prepareRun writes it when the run starts`);
    });
    const entry = { file, config: reading };
    loaded.set(run, entry);
    // A failure is not remembered: the run may be made a moment later.
    reading.catch(() => loaded.get(run) === entry && loaded.delete(run));
    return reading;
  };
}

/** Undefined when there is no file. A file that replaces another has a number of its own, or at least another time. */
async function fileIdentity(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && `${found.ino} ${found.ctimeMs}`;
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
