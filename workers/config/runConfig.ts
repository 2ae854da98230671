/** @file A run's configuration: YAML file + dotted overrides → RunConfig. Unknown keys, and keys without effect, are errors that name themselves. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { isHubName } from '../../core/model/hubName.ts';
import type { RunConfig } from '../../core/run/config.ts';
import { describeIssues } from './issues.ts';
import { effectProblems } from './runConfigChecks.ts';
import { allowedKeys, runConfigSchema } from './runConfigSchema.ts';

type Plain = Record<string, unknown>;

/**
 * `overrides` are `a.b=value` with the value in YAML. Relative paths start at the directory of the file that holds them, in overrides at the
 * working directory; what is stored with a run is absolute. @throws Error that lists every problem.
 */
export function loadRunConfig(file: string | undefined, overrides: readonly string[] = []): RunConfig {
  const raw = file === undefined ? {} : readYaml(file);
  if (file !== undefined) makePathsAbsolute(raw, dirname(file));
  for (const override of overrides) applyOverride(raw, override);
  makePathsAbsolute(raw, '.'); // those of the file already are
  return resolveRunConfig(raw, file ?? 'run configuration');
}

/** Fills in the defaults and checks everything. `where` begins the error message. */
export function resolveRunConfig(raw: Readonly<Plain>, where: string): RunConfig {
  const result = runConfigSchema.safeParse(raw);
  if (!result.success) throw new Error(`${where}:\n  ${describeIssues(result.error, raw, allowedKeys)}`);
  const config: RunConfig = result.data;
  const problems = effectProblems(config, raw);
  if (problems.length > 0) throw new Error(`${where}:\n  ${problems.join('\n  ')}`);
  const { chats } = config.warmup;
  const tasks = config.tasks.map((source) => ('file' in source ? withSha256(source) : source));
  return { ...config, tasks, ...(chats && { warmup: { ...config.warmup, chats: withSha256(chats) } }) };
}

/** A run is bound to what its files hold when it is configured. */
function withSha256<File extends { readonly file: string; readonly sha256?: string | undefined }>(source: File): File {
  return { ...source, sha256: source.sha256 ?? createHash('sha256').update(readFileSync(source.file)).digest('hex') };
}

/** In place. What is no text is left for the schema to refuse. */
function makePathsAbsolute(raw: Plain, base: string): void {
  const { policy, credit, tasks, warmup } = raw;
  const sources = typeof tasks === 'object' && tasks !== null ? Object.values(tasks) : [];
  const chats = (warmup as Plain | null | undefined)?.['chats'];
  const files = [chats, ...sources].map((source) => [source, 'file'] as const);
  const places: readonly (readonly [unknown, string])[] = [[policy, 'path'], [credit, 'embeddingModel'], ...files];
  for (const [holder, key] of places) {
    const path = (holder as Plain | null | undefined)?.[key];
    if (typeof path === 'string' && path !== '' && !isHubName(path)) (holder as Plain)[key] = resolve(base, path);
  }
}

function readYaml(file: string): Plain {
  const raw: unknown = parsed(readText(file), file) ?? {};
  if (typeof raw !== 'object' || Array.isArray(raw))
    throw new Error(`${file}: expected a mapping of settings, got ${Array.isArray(raw) ? 'a list' : typeof raw}`);
  return raw as Plain;
}

/** @throws Error in one line: the library draws a picture below its first one. */
function parsed(yaml: string, where: string): unknown {
  try {
    return parse(yaml);
  } catch (error) {
    throw new Error(`${where}: expected YAML: ${(error as Error).message.split('\n')[0]?.replace(/:$/, '')}`, { cause: error });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file}: expected a run configuration (YAML); examples/ holds some`, { cause: error });
  }
}

/** `training.steps=5` or `tasks.0.family=debug`; the path is checked later, with everything else. */
function applyOverride(raw: Plain, override: string): void {
  const [path, text] = splitOnce(override, '=');
  if (text === undefined || path === '') throw new Error(`override: expected path=value such as training.steps=5, got ${JSON.stringify(override)}`);
  const keys = path.split('.');
  const last = keys.pop() as string;
  let target = raw;
  for (const [depth, key] of keys.entries()) {
    target[key] ??= {};
    const next = target[key];
    if (typeof next !== 'object' || next === null) {
      throw new Error(`override ${override}: ${keys.slice(0, depth + 1).join('.')} is ${JSON.stringify(next)}, which has no settings inside`);
    }
    target = next as Plain;
  }
  target[last] = parsed(text, `override ${override}`);
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
