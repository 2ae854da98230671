/** @file Arrows point one way: scripts → workers → activities → core ← workflows. */
import { describe, expect, test } from 'vitest';
import { type Import, importsOf, sources, textOf } from './sources.ts';

const isNode = (target: string) => target.startsWith('node:');
const isPackage = (target: string) => !/^(core|activities|workflows|workers|scripts|test|bench)\//.test(target);
const inFolder =
  (...folders: string[]) =>
  (target: string) =>
    folders.some((folder) => target.startsWith(`${folder}/`));

interface Rule {
  readonly folder: string;
  readonly mayImport: (target: string, typeOnly: boolean) => boolean;
}

const rules: readonly Rule[] = [
  { folder: 'core', mayImport: inFolder('core') },
  {
    folder: 'workflows',
    mayImport: (target, typeOnly) =>
      inFolder('core', 'workflows')(target) ||
      target === '@temporalio/workflow' ||
      target === '@temporalio/common' ||
      (typeOnly && inFolder('activities')(target)),
  },
  {
    folder: 'activities',
    mayImport: (target) => inFolder('core', 'activities')(target) || isNode(target) || (isPackage(target) && !isTemporalBut(target, 'activity')),
  },
  { folder: 'workers', mayImport: (target) => inFolder('core', 'activities', 'workers')(target) || isPackage(target) },
  {
    folder: 'scripts',
    mayImport: (target, typeOnly) =>
      inFolder('core', 'workers', 'scripts')(target) || isPackage(target) || (typeOnly && inFolder('workflows', 'activities')(target)),
  },
];

function isTemporalBut(target: string, allowed: string): boolean {
  return target.startsWith('@temporalio/') && target !== `@temporalio/${allowed}` && target !== '@temporalio/common';
}

describe.each(rules)('$folder', ({ folder, mayImport }) => {
  test('imports only what its layer may', () => {
    const wrong = sources
      .filter(inFolder(folder))
      .flatMap((path) => importsOf(path).map((found) => ({ path, ...found })))
      .filter(({ target, typeOnly }) => !mayImport(target, typeOnly))
      .map(({ path, target, typeOnly }: Import & { path: string }) => `${path} imports ${typeOnly ? 'types of ' : ''}${target}`);
    expect(wrong).toEqual([]);
  });
});

test('core reads no clock and no global randomness', () => {
  const wrong = sources
    .filter(inFolder('core'))
    .filter((path) => /\b(Date\.now|new Date\(|Math\.random|performance\.now|process\.)/.test(codeOf(textOf(path))));
  expect(wrong).toEqual([]);
});

function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
