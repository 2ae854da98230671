/**
 * @file How well rankings find what a fix touched. Acc@k as LocAgent (arXiv 2503.09089) counts it: every gold item is among the first k; where there are
 * more than k, k of them. A module is a file and the first component of a name; a method `__init__` stands for its class.
 */

export interface LocalisationGold {
  readonly files: readonly string[];
  /** `path:Class.method`, `path:function`, `path:Class`. */
  readonly functions: readonly string[];
  readonly modules: readonly string[];
}

/** What was ranked for one issue, best first. */
export interface LocalisationRanking {
  readonly files: readonly string[];
  /** Entities as targets are handed over. */
  readonly targets: readonly string[];
}

export interface LocalisationHits {
  readonly file: Readonly<Record<1 | 3 | 5 | 10, boolean>>;
  readonly module: Readonly<Record<5 | 10, boolean>>;
  readonly function: Readonly<Record<5 | 10, boolean>>;
  /** Among the first 15 targets: a gold file; one gold function at least. */
  readonly targetFile: boolean;
  readonly targetFunction: boolean;
}

const targets = 15;

export function localisationHits(ranking: LocalisationRanking, gold: LocalisationGold): LocalisationHits {
  const functions = distinct(ranking.targets.map(functionName));
  const modules = distinct(ranking.targets.map(moduleName));
  const first = ranking.targets.slice(0, targets);
  const files = (k: number) => allAmong(gold.files, ranking.files, k);
  return {
    file: { 1: files(1), 3: files(3), 5: files(5), 10: files(10) },
    module: { 5: allAmong(gold.modules, modules, 5), 10: allAmong(gold.modules, modules, 10) },
    function: { 5: allAmong(gold.functions, functions, 5), 10: allAmong(gold.functions, functions, 10) },
    targetFile: first.some((target) => gold.files.includes(fileName(target))),
    targetFunction: first.some((target) => gold.functions.includes(functionName(target))),
  };
}

function allAmong(gold: readonly string[], ranked: readonly string[], k: number): boolean {
  const first = new Set(ranked.slice(0, k));
  return gold.length > 0 && gold.filter((item) => first.has(item)).length >= Math.min(k, gold.length);
}

/** Entity ids number second definitions of a name; the gold does not. */
function functionName(target: string): string {
  return target.replace(/~\d+$/, '').replace(/\.__init__$/, '');
}

/** `src/a.py:Server.start` is in the module `src/a.py:Server`. */
export function moduleName(target: string): string {
  const file = fileName(target);
  const name = target.slice(file.length + 1).replace(/~\d+$/, '');
  return name === '' ? file : `${file}:${name.split('.', 1)[0]}`;
}

function fileName(target: string): string {
  const colon = target.indexOf(':');
  return colon === -1 ? target : target.slice(0, colon);
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** Shares of the issues, in percent, under the names that tables use. */
export interface LocalisationTable {
  readonly issues: number;
  readonly shares: Readonly<Record<string, number>>;
}

const columns: readonly (readonly [string, (hits: LocalisationHits) => boolean])[] = [
  ['File@1', ({ file }) => file[1]],
  ['File@3', ({ file }) => file[3]],
  ['File@5', ({ file }) => file[5]],
  ['File@10', ({ file }) => file[10]],
  ['Module@5', ({ module }) => module[5]],
  ['Module@10', ({ module }) => module[10]],
  ['Function@5', (hits) => hits.function[5]],
  ['Function@10', (hits) => hits.function[10]],
  ['Target file@15', ({ targetFile }) => targetFile],
  ['Target function@15', ({ targetFunction }) => targetFunction],
];

export const localisationColumns: readonly string[] = columns.map(([name]) => name);

export function localisationTable(all: readonly LocalisationHits[]): LocalisationTable {
  const share = (isHit: (hits: LocalisationHits) => boolean) => (all.length === 0 ? 0 : (100 * all.filter(isHit).length) / all.length);
  return { issues: all.length, shares: Object.fromEntries(columns.map(([name, isHit]) => [name, share(isHit)])) };
}
