/** @file Trees that nobody would check out: submodules, links, and paths that lead out of a repository are counted, never followed. */
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSource } from '../../../activities/repository/openRepository.ts';
import { temporaryDirectory } from '../../support/temporaryDirectory.ts';
import { commitAll, folderOf, git, gitOf } from './repositories.ts';

interface TreeEntry {
  readonly mode: '100644' | '120000' | '160000' | '40000';
  readonly name: string;
  readonly object: string;
}

/** A tree as it is stored: git's own commands would refuse these names. */
function writeTree(directory: string, entries: readonly TreeEntry[]): string {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const bytes = Buffer.concat(sorted.flatMap(({ mode, name, object }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(object, 'hex')]));
  return execFileSync('git', ['-C', directory, 'hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], { input: bytes, encoding: 'utf8' }).trim();
}

function writeBlob(directory: string, text: string): string {
  return execFileSync('git', ['-C', directory, 'hash-object', '-w', '--stdin'], { input: text, encoding: 'utf8' }).trim();
}

test('paths that lead out of the repository, or into git itself, are counted and cannot be read', async () => {
  const directory = await gitOf({ 'a.py': 'x = 1\n' });
  const blob = writeBlob(directory, 'password = 1\n');
  const file = (name: string): TreeEntry => ({ mode: '100644', name, object: blob });
  const folder = (name: string): TreeEntry => ({ mode: '40000', name, object: writeTree(directory, [file('evil.py')]) });
  const names = ['..', '.', '.git', '.GIT'].map(folder);
  const root = writeTree(directory, [file('kept.py'), file('..\\up.py'), file('C:drive.py'), file('new\nline.py'), ...names]);
  const commit = git(directory, 'commit-tree', root, '-m', 'strange');
  const { index, sourceOf } = await openSource({ directory, commit }, await temporaryDirectory('cache'));
  expect(index.files).toEqual(['kept.py']);
  expect(index.repository.summary.skipped).toEqual({ unsafePath: 7 });
  for (const path of ['../evil.py', './evil.py', '.git/evil.py', '..\\up.py', 'new\nline.py']) {
    await expect(sourceOf(path)).rejects.toThrow('expected a file of the index');
  }
});

test('a submodule is counted, whether it is checked out or not', async () => {
  const directory = await gitOf({ 'a.py': 'x = 1\n' });
  const inner = await gitOf({ 'secret.py': 'password = 1\n' });
  git(directory, 'submodule', '--quiet', 'add', inner, 'vendored');
  git(directory, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},absent.py`);
  git(directory, 'commit', '--quiet', '--message', 'submodules');
  const { index, sourceOf } = await openSource({ directory }, await temporaryDirectory('cache'));
  expect(index.files).toEqual(['a.py']);
  expect(index.repository.summary.skipped).toEqual({ submodule: 2, otherLanguage: 1 });
  await expect(sourceOf('vendored/secret.py')).rejects.toThrow('expected a file of the index');
});

test('links to files and folders, inside and outside, are counted in a commit and in a folder', async () => {
  const outside = await folderOf({ 'secret.py': 'password = 1\n' });
  const files = { 'a.py': 'x = 1\n', 'inside/b.py': 'y = 1\n' };
  for (const make of [gitOf, folderOf]) {
    const directory = await make(files);
    symlinkSync('a.py', join(directory, 'alias.py'));
    symlinkSync('inside', join(directory, 'also'));
    symlinkSync(outside, join(directory, 'away'));
    symlinkSync(join(outside, 'secret.py'), join(directory, 'secret.py'));
    symlinkSync('nowhere', join(directory, 'dangling.py'));
    symlinkSync('.', join(directory, 'round'));
    if (make === gitOf) commitAll(directory, 'links');
    const { index, sourceOf } = await openSource({ directory }, await temporaryDirectory('cache'));
    expect(index.files).toEqual(['a.py', 'inside/b.py']);
    expect(index.repository.summary.skipped).toEqual({ symlink: 6 });
    for (const path of ['alias.py', 'also/b.py', 'away/secret.py', 'secret.py']) await expect(sourceOf(path)).rejects.toThrow('expected a file of the index');
  }
});

test('names of a folder that a report could not show are counted', async () => {
  const directory = await folderOf({ 'a.py': 'x = 1\n', 'back\\slash.py': 'y = 1\n', 'new\nline.py': 'z = 1\n' });
  const { index } = await openSource({ directory }, await temporaryDirectory('cache'));
  expect([index.files, index.repository.summary.skipped]).toEqual([['a.py'], { unsafePath: 2 }]);
});
