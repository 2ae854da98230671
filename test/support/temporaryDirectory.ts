/** @file Directories of a test file's own, removed when its tests are done. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => Promise.all(made.splice(0).map((directory) => rm(directory, { recursive: true, force: true }))));

export async function temporaryDirectory(name: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `turnwise-${name}-`));
  made.push(directory);
  return directory;
}
