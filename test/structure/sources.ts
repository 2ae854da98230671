/** @file The files that make up the project, as git knows them, with what they import. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Import {
  /** Path from the root for relative imports, else the package's name. */
  readonly target: string;
  readonly typeOnly: boolean;
}

/** Tracked and new files that git does not ignore. */
export const files: readonly string[] = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)));

/** Our own sources: references that come with the golden files are not. */
export const sources: readonly string[] = files.filter((path) => /\.(ts|mjs)$/.test(path) && !path.startsWith('test/golden/'));

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function importsOf(path: string): Import[] {
  const pattern = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;
  return [...textOf(path).matchAll(pattern)].map(([, type, specifier, dynamic]) => {
    const name = specifier ?? dynamic ?? '';
    return { target: name.startsWith('.') ? normalize(join(dirname(path), name)) : name, typeOnly: type !== undefined };
  });
}
