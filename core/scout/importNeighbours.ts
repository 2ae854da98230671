/** @file Import expansion: what the best files import, and what imports them, for the places that a ranking leaves free. It adds to a list and never reorders it. */
import { isTestPath } from './paths.ts';
import type { RankingParameters } from './rankingParameters.ts';
import { clippedReason } from './reasons.ts';
import type { FileIndex } from './repositoryIndex.ts';

export interface ImportNeighbour {
  readonly file: string;
  /** For a person: `imported by shop/cart.py`. */
  readonly reason: string;
}

/**
 * Neighbours of the best file first; of one file what it imports in the order of its statements, then its importers by path.
 * Each file once, none that is among the ranked.
 */
export function importNeighbours(
  { importedFiles }: Pick<FileIndex, 'importedFiles'>,
  ranked: readonly string[],
  { seeds, mostImporters }: RankingParameters['imports'],
): ImportNeighbour[] {
  const listed = new Set(ranked);
  const found: ImportNeighbour[] = [];
  const add = (file: string, reason: string) => {
    if (listed.has(file) || isTestPath(file)) return;
    listed.add(file);
    found.push({ file, reason: clippedReason(reason) });
  };
  for (const file of ranked.slice(0, seeds)) {
    for (const imported of importedFiles.get(file) ?? []) add(imported, `imported by ${file}, which fits the issue`);
    const importers = [...importedFiles.keys()].filter((each) => importedFiles.get(each)?.includes(file));
    if (importers.length <= mostImporters) for (const importer of importers) add(importer, `imports ${file}, which fits the issue`);
  }
  return found;
}
