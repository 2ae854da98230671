/** @file Import expansion: what is added to a ranking, why, and that the ranking itself stays as it is. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeRecord } from '../../../activities/repository/records/makeRecord.ts';
import { rankingDefaults } from '../../../core/scout/rankingParameters.ts';
import { FileIndex } from '../../../core/scout/repositoryIndex.ts';
import { staticScope } from '../../../core/scout/staticScope.ts';

const repository = { directory: '/r', commit: null, contentHash: '', summary: {} as never };
const off = { ...rankingDefaults, imports: { ...rankingDefaults.imports, seeds: 0 } };

/** Modules m0, m1, …: each imports some of the others and has a function named by one word. */
async function indexOf(modules: readonly { readonly word: string; readonly imports: readonly number[] }[]): Promise<FileIndex> {
  const files = modules.map(async ({ word, imports }, number) => {
    const lines = [...imports.map((other) => `import pack.m${other}`), '', '', `def ${word}():`, '    return 1', ''];
    const record = await makeRecord(`pack/m${number}.py`, Buffer.from(lines.join('\n')));
    if (typeof record === 'string') throw new Error(record);
    return { path: `pack/m${number}.py`, record };
  });
  return new FileIndex(repository, await Promise.all(files));
}

test('what the best file imports and what imports it follow, with the reason', async () => {
  const index = await indexOf([
    { word: 'separable', imports: [2] },
    { word: 'kitchen', imports: [0] },
    { word: 'lamp', imports: [] },
    { word: 'garden', imports: [2] },
  ]);
  const { files, targets } = staticScope(index, 'separable gives a wrong answer');
  expect(files.map(({ rank, file, reason }) => [rank, file, reason])).toEqual([
    [1, 'pack/m0.py', expect.stringContaining("'separable' in its name")],
    [2, 'pack/m2.py', 'imported by pack/m0.py, which fits the issue'],
    [3, 'pack/m1.py', 'imports pack/m0.py, which fits the issue'],
  ]);
  expect(targets.map(({ rank, entity, kind }) => [rank, entity, kind])).toEqual([
    [1, 'pack/m0.py:separable', 'function'],
    [2, 'pack/m2.py', 'file'],
    [3, 'pack/m1.py', 'file'],
  ]);
});

test('what everything imports has no importers added', async () => {
  const users = Array.from({ length: rankingDefaults.imports.mostImporters + 1 }, () => ({ word: 'kitchen', imports: [0] }));
  const { files } = staticScope(await indexOf([{ word: 'separable', imports: [] }, ...users]), 'separable gives a wrong answer');
  expect(files.map(({ file }) => file)).toEqual(['pack/m0.py']);
});

const words = ['alpha', 'beta', 'gamma', 'delta', 'kitchen'];
const someModules = fc.array(fc.record({ word: fc.constantFrom(...words), imports: fc.uniqueArray(fc.nat(11), { maxLength: 4 }) }), {
  minLength: 1,
  maxLength: 12,
});
const someIssue = fc.subarray(words.slice(0, 4), { minLength: 1 }).map((named) => `${named.join(' and ')} fail`);

test('the head is what it is without expansion, byte for byte; added files are new, fit the limit and are numbered on', async () => {
  let added = 0;
  await fc.assert(
    fc.asyncProperty(someModules, someIssue, fc.integer({ min: 1, max: 12 }), async (modules, issue, most) => {
      const index = await indexOf(modules);
      const limits = { files: most, targets: most };
      const [ranked, expanded] = [staticScope(index, issue, limits, off), staticScope(index, issue, limits)];
      for (const list of ['files', 'targets'] as const) {
        expect(JSON.stringify(expanded[list].slice(0, ranked[list].length))).toBe(JSON.stringify(ranked[list]));
        expect(expanded[list].length).toBeLessThanOrEqual(most);
        expect(expanded[list].map(({ rank }) => rank)).toEqual(expanded[list].map((_, position) => position + 1));
        added += expanded[list].length - ranked[list].length;
      }
      const paths = expanded.files.map(({ file }) => file);
      expect(new Set(paths).size).toBe(paths.length);
      for (const { reason } of expanded.files.slice(ranked.files.length))
        expect(reason).toMatch(/^(imported by|imports) pack\/m\d+\.py, which fits the issue$/);
    }),
    { numRuns: 60 },
  );
  expect(added).toBeGreaterThan(0);
});
