/** @file Indexes of real git repositories and folders, through real parsers, worker threads and the cache. */
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSource } from '../../../activities/repository/openRepository.ts';
import { staticScope } from '../../../core/scout/staticScope.ts';
import { temporaryDirectory } from '../../support/temporaryDirectory.ts';
import { commitAll, folderOf, git, gitOf, shop, write } from './repositories.ts';

const issue = 'Cart.total_price ignores the coupon\nThe discounted price of an item is never applied.';

test('entities, edges and sources of a commit, whatever lies in the work tree', async () => {
  const directory = await gitOf(shop);
  write(directory, { 'shop/cart.py': 'changed = 1\n' });
  const { index, sourceOf } = await openSource({ directory }, await temporaryDirectory('cache'));
  expect(index.files).toEqual(['shop/__init__.py', 'shop/cart.py', 'shop/prices.py']);
  expect(index.repository).toMatchObject({ commit: git(directory, 'rev-parse', 'HEAD'), summary: { files: 3, testFiles: 1, skipped: { otherLanguage: 1 } } });
  expect(index.entity('shop/cart.py:Cart.total_price')).toMatchObject({
    kind: 'method',
    parent: 'shop/cart.py:Cart',
    span: { startLine: 13, endLine: 15 },
    signature: 'def total_price(self, coupon=None)',
    docstring: 'Sum of all items.',
  });
  const edges = index.neighbours('shop/cart.py:Cart').map(({ edge, direction, entity }) => `${edge} ${direction} ${entity.id}`);
  expect(edges).toContain('inherits out shop/prices.py:Container');
  const calls = index.neighbours('shop/prices.py:discounted_price').filter(({ edge }) => edge === 'calls');
  expect(calls.map(({ entity }) => entity.id)).toEqual(['shop/cart.py:Cart.total_price']);
  expect((await sourceOf('shop/cart.py', { startLine: 4, endLine: 4 })).text).toBe('LIMIT = 20');
  await expect(sourceOf('../secret.py')).rejects.toThrow('expected a file of the index');
});

test('the second index parses nothing, and the scope is the same to the byte', async () => {
  const [directory, cache] = [await gitOf(shop), await temporaryDirectory('cache')];
  const cold = await openSource({ directory }, cache);
  const warm = await openSource({ directory }, cache);
  expect([cold.index.repository.summary.parsed, warm.index.repository.summary.parsed]).toEqual([3, 0]);
  const ranked = (index: typeof cold.index) => JSON.stringify({ ...staticScope(index, issue), repository: null });
  expect(ranked(warm.index)).toBe(ranked(cold.index));
  const scope = staticScope(cold.index, issue);
  expect(scope.targets[0]).toMatchObject({ entity: 'shop/cart.py:Cart.total_price', reason: expect.stringContaining('named in the issue') });
  expect(scope.files.map(({ file }) => file)).not.toContain('tests/test_cart.py');
});

test('what is no readable source is skipped and counted', async () => {
  const directory = await gitOf({
    'a.py': 'x = 1\n',
    'huge.py': `x = "${'y'.repeat(1 << 20)}"\n`,
    'binary.py': Uint8Array.from([120, 0, 1]),
    'latin.py': Uint8Array.from([35, 0xe9, 10]),
    'broken.py': 'def f(:\n  ((\n',
  });
  symlinkSync('/etc/passwd', join(directory, 'link.py'));
  commitAll(directory, 'link');
  const { summary } = (await openSource({ directory }, await temporaryDirectory('cache'))).index.repository;
  expect(summary.skipped).toEqual({ tooLarge: 1, binary: 1, notUtf8: 1, symlink: 1 });
  expect([summary.files, summary.broken]).toEqual([2, 1]);
});

test('a folder is read by its .gitignore; links are not followed', async () => {
  const outside = await folderOf({ 'secret.py': 'password = 1\n' });
  const directory = await folderOf({
    '.gitignore': 'out/\n*.gen.py\n!keep.gen.py\n',
    'a.py': 'x = 1\n',
    'out/b.py': '',
    'c.gen.py': '',
    'keep.gen.py': '',
    'sub/.gitignore': 'd.py\n',
    'sub/d.py': '',
    'sub/e.py': '',
  });
  symlinkSync(outside, join(directory, 'away'));
  const { index, sourceOf } = await openSource({ directory }, await temporaryDirectory('cache'));
  expect(index.files).toEqual(['a.py', 'keep.gen.py', 'sub/e.py']);
  expect(index.repository.commit).toBeNull();
  expect(index.repository.summary.skipped.symlink).toBe(1);
  writeFileSync(join(directory, 'a.py'), 'x = 2\n');
  await expect(sourceOf('a.py')).rejects.toThrow('index the folder again');
  rmSync(join(directory, 'a.py'));
  symlinkSync(join(outside, 'secret.py'), join(directory, 'a.py'));
  await expect(sourceOf('a.py')).rejects.toThrow('index the folder again');
});

test('no repository and no such commit are said, with what to do', async () => {
  const cache = await temporaryDirectory('cache');
  await expect(openSource({ directory: '/nowhere/at/all' }, cache)).rejects.toThrow('expected a folder or a git directory, got ENOENT');
  await expect(openSource({ directory: await gitOf(shop), commit: '--all' }, cache)).rejects.toThrow('expected a commit, got "--all"');
});
