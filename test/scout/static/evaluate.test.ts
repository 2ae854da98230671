/** @file `npm run scout:evaluate` as a process of its own, on a repository that the test makes: the printed table, the JSON, the rankings, and errors. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporaryDirectory.ts';
import { commitAll, git, shop, write } from './repositories.ts';

const root = join(import.meta.dirname, '..', '..', '..');

const lines = (objects: readonly object[]) => objects.map((each) => `${JSON.stringify(each)}\n`).join('');

/** One statement, four fixes: of the file that is named, of the next one, of a file that is not there, and of lines outside every function. */
async function made(): Promise<string> {
  const directory = await temporaryDirectory('evaluate');
  const repository = join(directory, 'repositories', 'acme+shop', 'repo');
  mkdirSync(repository, { recursive: true });
  write(repository, shop);
  git(repository, 'init', '--quiet', '--initial-branch=main');
  const commit = commitAll(repository, 'before the fix');
  write(repository, { 'shop/cart.py': '', 'shop/prices.py': '' });
  commitAll(repository, 'the fix, which must not be seen');
  const issues = [1, 2, 3, 4].map((number) => ({ instance_id: `acme__shop-${number}`, problem_statement: 'Cart.total_price ignores the coupon' }));
  const gold = [
    { instance_id: 'acme__shop-1', files: ['shop/cart.py'], functions: ['shop/cart.py:Cart.total_price'] },
    { instance_id: 'acme__shop-2', files: ['shop/prices.py'], functions: ['shop/cart.py:Cart', 'shop/prices.py:discounted_price'] },
    { instance_id: 'acme__shop-3', files: ['shop/new.py'], functions: ['shop/new.py:absent'] },
    { instance_id: 'acme__shop-4', files: ['shop/cart.py'], functions: [] },
  ];
  writeFileSync(join(directory, 'instances.jsonl'), lines(issues.map((issue) => ({ ...issue, repo: 'acme/shop', base_commit: commit }))));
  writeFileSync(join(directory, 'gold.jsonl'), lines(gold));
  return directory;
}

function evaluate(directory: string, ...more: string[]) {
  const files = ['--data', 'instances.jsonl', '--gold', 'gold.jsonl', '--repos', 'repositories', ...more];
  const env = { PATH: process.env['PATH'], HOME: directory, TURNWISE_HOME: join(directory, 'home') };
  return spawnSync(process.execPath, [join(root, 'scripts', 'scoutEvaluate.ts'), ...files], { cwd: directory, env, encoding: 'utf8' });
}

test('the table has the exact shares, counted by hand', async () => {
  const directory = await made();
  const { status, stdout, stderr } = evaluate(directory, '--json', 'table.json', '--rankings', 'rankings.jsonl');
  expect([status, stderr]).toEqual([0, '']);
  const table = JSON.parse(readFileSync(join(directory, 'table.json'), 'utf8')) as Record<string, { issues: number; shares: Record<string, number> }>;
  const [third, twoThirds] = [100 / 3, 200 / 3];
  const shares = {
    'File@1': third,
    'File@3': twoThirds,
    'File@5': twoThirds,
    'File@10': twoThirds,
    'Module@5': twoThirds,
    'Module@10': twoThirds,
    'Function@5': twoThirds,
    'Function@10': twoThirds,
    'Target file@15': twoThirds,
    'Target function@15': twoThirds,
  };
  expect(table['with a function in the gold']).toEqual({ issues: 3, shares });
  expect(stdout).toMatch(/with a function in the gold +3 +33\.3 +66\.7 +66\.7 +66\.7 +66\.7/);
  expect(table['all issues']).toMatchObject({ issues: 4, shares: { 'File@1': 50, 'File@3': 75, 'Function@5': 50, 'Target file@15': 75 } });
  const halves = ['  of them, half tuned on', '  of them, half checked on'].map((name) => table[name]?.issues ?? 0);
  expect((halves[0] as number) + (halves[1] as number)).toBe(3);
  const rankings = readFileSync(join(directory, 'rankings.jsonl'), 'utf8').trim().split('\n');
  expect(rankings.map((line) => JSON.parse(line) as object)).toMatchObject([
    { instance_id: 'acme__shop-1', files: ['shop/cart.py', 'shop/prices.py'], gold: { functions: ['shop/cart.py:Cart.total_price'] } },
    { instance_id: 'acme__shop-2', hits: { file: { 1: false, 3: true } } },
    { instance_id: 'acme__shop-3', hits: { file: { 10: false }, targetFile: false } },
    { instance_id: 'acme__shop-4', hits: { file: { 1: true }, targetFunction: false } },
  ]);
});

test('what is missing is said before any work starts: a gold line, a repository, a key of a line', async () => {
  const directory = await made();
  const [data, gold] = [join(directory, 'instances.jsonl'), join(directory, 'gold.jsonl')];
  const [issues, golds] = [readFileSync(data, 'utf8'), readFileSync(gold, 'utf8')];
  writeFileSync(gold, golds.split('\n').slice(1).join('\n'));
  expect(evaluate(directory)).toMatchObject({ status: 1, stderr: expect.stringContaining('expected a line for acme__shop-1') });
  writeFileSync(gold, golds);
  writeFileSync(data, issues.replaceAll('acme/shop', 'acme/other'));
  expect(evaluate(directory)).toMatchObject({ status: 1, stderr: expect.stringContaining('acme/other: expected a git directory at') });
  writeFileSync(data, issues.replace('base_commit', 'base'));
  expect(evaluate(directory)).toMatchObject({ status: 1, stderr: expect.stringContaining('instances.jsonl:1: base_commit') });
});
