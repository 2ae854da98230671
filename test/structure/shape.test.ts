/** @file Budgets and habits that keep the sources readable: first lines, sizes, names, no traces of one machine. */
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { files, sources, textOf } from './sources.ts';

const fileLines = 400;
const functionLines = 60;

test('every source begins with what it is', () => {
  const wrong = sources.filter((path) => !/^(#!.*\n)?\/\*\*(\n \*)? @file \S/.test(textOf(path)));
  expect(wrong).toEqual([]);
});

test(`no file is longer than ${fileLines} lines`, () => {
  const long = sources.map((path) => [path, textOf(path).split('\n').length - 1] as const).filter(([, lines]) => lines > fileLines);
  expect(long).toEqual([]);
});

test(`no function is longer than ${functionLines} lines`, () => {
  // The callback of a `describe` is a list of tests, not a function to follow.
  const followed = sources.filter((path) => !path.endsWith('.test.ts'));
  expect(followed.flatMap(longFunctions)).toEqual([]);
});

test('no file is named for being of use to others', () => {
  const wrong = files.filter((path) => /(^|\/)(utils?|helpers?|common|misc|shared)(\.\w+|\/|$)/.test(path));
  expect(wrong).toEqual([]);
});

test('no path of one machine, no unfinished work', () => {
  const text = files.filter(
    (path) =>
      /\.(ts|mjs|md|yaml|yml|json|py|sh)$|^\.ci\//.test(path) && !/^(package-lock\.json|test\/golden\/|test\/replay\/.*\.json|test\/structure\/)/.test(path),
  );
  const traces = /(^|[^A-Za-z0-9_.])\/(root|work|home|farm)\/[A-Za-z]|\b(TODO|FIXME|XXX|HACK)\b/m;
  expect(text.filter((path) => traces.test(textOf(path)))).toEqual([]);
});

/** `path:line name (n lines)` of every function above the budget. */
function longFunctions(path: string): string[] {
  const text = textOf(path);
  const { program } = parseSync(path, text);
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
  return functionsIn(program)
    .map(({ start, end }) => ({ line: lineOf(start), length: lineOf(end) - lineOf(start) + 1 }))
    .filter(({ length }) => length > functionLines)
    .map(({ line, length }) => `${path}:${line} (${length} lines)`);
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

function functionsIn(node: unknown): Node[] {
  if (Array.isArray(node)) return node.flatMap(functionsIn);
  if (typeof node !== 'object' || node === null) return [];
  const inside = Object.values(node).flatMap(functionsIn);
  const { type } = node as Node;
  const isFunction = type === 'FunctionDeclaration' || type === 'FunctionExpression' || type === 'ArrowFunctionExpression';
  return isFunction ? [node as Node, ...inside] : inside;
}
