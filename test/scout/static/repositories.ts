/** @file Small repositories made by the tests: folders with given files, and git repositories of their own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryDirectory } from '../../support/temporaryDirectory.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export async function folderOf(files: Files): Promise<string> {
  const directory = await temporaryDirectory('repository');
  write(directory, files);
  return directory;
}

export function write(directory: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

export async function gitOf(files: Files): Promise<string> {
  const directory = await folderOf(files);
  git(directory, 'init', '--quiet', '--initial-branch=main');
  commitAll(directory, 'first');
  return directory;
}

export function commitAll(directory: string, message: string): string {
  git(directory, 'add', '--all', '--force');
  git(directory, 'commit', '--quiet', '--allow-empty', '--message', message);
  return git(directory, 'rev-parse', 'HEAD');
}

export function git(directory: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false', '-c', 'protocol.file.allow=always'];
  return execFileSync('git', ['-C', directory, ...identity, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** A small product with two modules that import one another's names. */
export const shop: Files = {
  'shop/__init__.py': '',
  'shop/cart.py': [
    '"""Carts of customers."""',
    'from shop.prices import discounted_price',
    '',
    'LIMIT = 20',
    '',
    '',
    'class Cart(Container):',
    '    """What a customer is about to buy."""',
    '',
    '    def __init__(self, owner):',
    '        self.owner = owner',
    '',
    '    def total_price(self, coupon=None):',
    '        """Sum of all items."""',
    '        return sum(discounted_price(item, coupon) for item in self.items)',
    '',
  ].join('\n'),
  'shop/prices.py': [
    'def discounted_price(item, coupon):',
    '    """Price of an item after its coupon was applied."""',
    '    if coupon is None:',
    '        return item.price',
    '    return round(item.price * (1 - coupon.share), 2)',
    '',
    '',
    'class Container:',
    '    def __len__(self):',
    '        return len(self.items)',
    '',
  ].join('\n'),
  'tests/test_cart.py': 'from shop.cart import Cart\n\n\ndef test_total_price():\n    assert Cart(None).total_price() == 0\n',
  'README.md': '# shop\n',
};
