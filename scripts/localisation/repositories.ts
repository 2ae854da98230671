/** @file Finds the git directory of a repository's name: `DIR/owner+name/repo`, or what a map file says. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const mapFile = z.record(z.string(), z.string().min(1));

/** The map's values are folders of `directory` or absolute paths: `{ "django/django": "sarahboyce+django/repo" }`. */
export function repositoryFinder(directory: string, map: string | undefined): (name: string) => string {
  const mapped = map === undefined ? {} : mapFile.parse(JSON.parse(readFileSync(map, 'utf8')));
  return (name) => {
    const found = resolve(directory, mapped[name] ?? join(name.replace('/', '+'), 'repo'));
    if (existsSync(found)) return found;
    throw new Error(`${name}: expected a git directory at ${found}, found none; bring it there or name another in --map`);
  };
}
