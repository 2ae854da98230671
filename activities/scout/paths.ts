/** @file Where the records of one scout lie: `scouts/<scout>` below the home directory. */
import { join } from 'node:path';

export interface ScoutPaths {
  readonly root: string;
  /** What was asked: a scout of this name goes on only with the same input. */
  readonly input: string;
  /** Answered model calls, one file each, named by the hash of the request. */
  readonly calls: string;
  readonly markdown: string;
  readonly json: string;
  readonly page: string;
}

/** A scout's name is part of paths and of workflow ids. */
const scoutNamePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export function scoutPaths(home: string, scout: string): ScoutPaths {
  if (!scoutNamePattern.test(scout)) {
    throw new Error(
      `scout name: expected lower-case letters, digits, '.', '_' or '-' (64 at most, starting with a letter or digit), got ${JSON.stringify(scout)}`,
    );
  }
  const root = join(home, 'scouts', scout);
  return {
    root,
    input: join(root, 'input.json'),
    calls: join(root, 'calls'),
    markdown: join(root, 'report.md'),
    json: join(root, 'report.json'),
    page: join(root, 'report.html'),
  };
}
