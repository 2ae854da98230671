/** @file What the documents and the package say exists does exist. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { files, importsOf, root, sources, textOf } from './sources.ts';

const documents = files.filter((path) => path.endsWith('.md') && !path.startsWith('test/golden/'));
const scripts = (JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }).scripts;

test('links and paths in documents lead to files', () => {
  const broken = documents.flatMap((document) =>
    [...linksOf(document), ...pathsOf(document)].filter((path) => !existsSync(join(root, path))).map((path) => `${document} → ${path}`),
  );
  expect(broken).toEqual([]);
});

test('npm commands in documents and messages are in package.json', () => {
  const unknown = [...documents, ...sources.filter((path) => !path.startsWith('test/'))].flatMap((path) =>
    [...textOf(path).matchAll(/npm run ([a-z][a-z:]*)/g)]
      .map(([, name = '']) => name)
      .filter((name) => scripts[name] === undefined)
      .map((name) => `${path}: npm run ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('every npm command has its script, and every script is documented by an example', () => {
  const commands = Object.values(scripts).flatMap((line) => /^node scripts\/bootstrap\.mjs (\w+)/.exec(line)?.[1] ?? []);
  expect(commands.filter((name) => !existsSync(join(root, 'scripts', `${name}.ts`)))).toEqual([]);
  const commandFiles = sources.filter((path) => /^scripts\/\w+\.ts$/.test(path));
  expect(commandFiles.filter((path) => !textOf(path).slice(0, 600).includes('@example npm'))).toEqual([]);
  expect(commandFiles.filter((path) => textOf(path).split('\n').length > 101)).toEqual([]);
});

test('every workflow has a recorded history that is replayed', () => {
  const workflows = importsOf('workflows/index.ts').map(({ target }) => target.replace(/^workflows\/|\.ts$/g, ''));
  expect(workflows.length).toBeGreaterThanOrEqual(6);
  const histories = files.filter((path) => /^test\/replay\/.*\.json$/.test(path));
  expect(workflows.filter((name) => !histories.some((path) => new RegExp(`(^|[/.-])${name}([.-]|$)`).test(path)))).toEqual([]);
});

function linksOf(document: string): string[] {
  return [...textOf(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, path = '']) => normalize(join(dirname(document), path)));
}

/** Words in backticks that begin with one of our folders and have an extension; patterns and placeholders are left out. */
function pathsOf(document: string): string[] {
  return [...textOf(document).matchAll(/`((?:core|activities|workflows|workers|scripts|test|docs|examples|bench|tools)\/[\w./-]+\.\w+)`/g)].map(
    ([, path = '']) => path,
  );
}
