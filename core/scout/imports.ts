/** @file Which files of the repository an import means. One rule for all languages: a module is a path with other separators. */
import type { ImportStatement } from './fileRecord.ts';

/** A folder stands for its index file: `package/__init__.py`, `view/index.ts`, `net/mod.rs`. */
const indexNames = new Set(['__init__', 'index', 'mod', 'lib', 'main']);
/** Go and Java import folders with many files. */
const mostFilesPerImport = 12;

export class ModuleTable {
  /** Files by every suffix of their path without its extension: `models`, `db/models`, `django/db/models`. */
  readonly #bySuffix = new Map<string, string[]>();
  /** Files of a folder, for languages whose package is one. */
  readonly #byFolder = new Map<string, string[]>();

  constructor(paths: readonly string[]) {
    for (const path of paths) {
      const segments = path.replace(/\.[^./]+$/, '').split('/');
      const folder = segments.slice(0, -1).join('/');
      push(this.#byFolder, folder, path);
      if (indexNames.has(segments.at(-1) as string)) segments.pop();
      for (let first = 0; first < segments.length; first++) push(this.#bySuffix, segments.slice(first).join('/'), path);
    }
  }

  /** The names of a statement can be modules too: `from . import models`. */
  filesOf(statement: ImportStatement, importer: string): string[] {
    const modules = modulesOf(statement, importer);
    const found = new Set<string>();
    for (const module of modules) {
      for (const path of this.#resolve(module, importer)) found.add(path);
    }
    found.delete(importer);
    return [...found];
  }

  #resolve(module: Module, importer: string): readonly string[] {
    if (module.relative) return (this.#bySuffix.get(module.path) ?? []).filter((path) => isAt(path, module.path));
    const language = importer.slice(importer.lastIndexOf('.'));
    const named = (this.#bySuffix.get(module.path) ?? []).filter((path) => path.endsWith(language));
    if (named.length > 0) return [nearest(named, importer)];
    const inFolder = language === '.go' ? this.#folderNamed(module.path) : [];
    return inFolder.slice(0, mostFilesPerImport);
  }

  /** Go: the end of an import path is a folder of this repository. */
  #folderNamed(path: string): readonly string[] {
    const segments = path.split('/');
    for (let first = 0; first < segments.length; first++) {
      const files = this.#byFolder.get(segments.slice(first).join('/'));
      if (files) return files;
    }
    return [];
  }
}

interface Module {
  readonly path: string;
  /** The path begins at the root of the repository. */
  readonly relative: boolean;
}

function modulesOf({ module, names }: ImportStatement, importer: string): Module[] {
  const folder = importer.split('/').slice(0, -1);
  const dots = /^(\.+)([^/]*)$/.exec(module);
  if (dots && importer.endsWith('.py')) return withNames(pythonRelative(dots[1] as string, dots[2] as string, folder), names, true);
  if (/^\.{1,2}(\/|$)/.test(module)) return [{ path: joined(folder, module.replace(/\.[cm]?[jt]sx?$/, '')), relative: true }];
  return rustBranches(module).flatMap((branch) => withNames(branch.replace(/^(crate|self|super)::/, '').replace(/::|\./g, '/'), names, false));
}

/** The module itself, each imported name as a module in it, and for `a.b.C` the module `a.b`. */
function withNames(path: string, names: readonly string[], relative: boolean): Module[] {
  const inside = names.map((name) => (path === '' ? name : `${path}/${name}`));
  const parent = names.length === 0 && /\/[A-Z]\w*$/.test(path) ? [path.replace(/\/[A-Z]\w*$/, '')] : [];
  return [path, ...inside, ...parent].filter((each) => each !== '').map((each) => ({ path: each, relative }));
}

/** One dot is the importer's own package. */
function pythonRelative(dots: string, rest: string, folder: readonly string[]): string {
  const base = folder.slice(0, folder.length - dots.length + 1);
  return [...base, ...rest.split('.').filter((part) => part !== '')].join('/');
}

function joined(folder: readonly string[], relative: string): string {
  const segments = [...folder];
  for (const part of relative.split('/')) {
    if (part === '..') segments.pop();
    else if (part !== '.' && part !== '') segments.push(part);
  }
  return segments.join('/');
}

/** `crate::net::{Socket, tcp::Stream}` → crate::net::Socket, crate::net::tcp::Stream. One level of braces. */
function rustBranches(module: string): string[] {
  const braces = /^([^{]*)\{([^{}]*)\}/.exec(module);
  if (!braces) return [module.replace(/\s+as\s+\w+$/, '')];
  return (braces[2] as string).split(',').map((branch) => `${braces[1]}${branch.trim().replace(/\s+as\s+\w+$/, '')}`);
}

/** Same path, or the index file of it. */
function isAt(path: string, module: string): boolean {
  return path.startsWith(module) && /^(\/[^/]+)?\.[^./]+$/.test(path.slice(module.length));
}

/** The candidate that shares the most folders with the importer; among equals the shortest path, then the first. */
function nearest(candidates: readonly string[], importer: string): string {
  return candidates.reduce((best, path) => {
    const difference = sharedFolders(path, importer) - sharedFolders(best, importer);
    if (difference !== 0) return difference > 0 ? path : best;
    return path.length < best.length ? path : best;
  });
}

function sharedFolders(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  let depth = 0;
  while (depth < left.length - 1 && left[depth] === right[depth]) depth++;
  return depth;
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
