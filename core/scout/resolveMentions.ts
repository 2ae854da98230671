/** @file What the names in an issue mean in the index: files for paths and modules, entities for symbols and frames of tracebacks. Tests are left out. */
import type { IssueMention } from './mentions.ts';
import { isTestPath } from './paths.ts';
import type { FileIndex } from './repositoryIndex.ts';
import type { Entity } from './types.ts';

export interface ResolvedMention {
  readonly mention: IssueMention;
  /** Files and what is in them; empty where the index knows nothing of that name. */
  readonly entities: readonly Entity[];
}

/** A name with more meanings says nothing. */
const mostMeanings = 12;

export function resolveMentions(index: FileIndex, mentions: readonly IssueMention[]): ResolvedMention[] {
  const names = new PathNames(index.files.filter((file) => !isTestPath(file)));
  return mentions.map((mention) => ({ mention, entities: entitiesOf(mention, index, names) }));
}

function entitiesOf(mention: IssueMention, index: FileIndex, names: PathNames): Entity[] {
  if (mention.kind === 'symbol') return symbolEntities(mention.text, index, names);
  const files = names.endingLike(mention.path);
  if (mention.kind === 'path') return files.flatMap((file) => index.entitiesOf(file).slice(0, 1));
  return files.slice(0, 1).flatMap((file) => frameEntities(file, mention.function, mention.line, index));
}

/** The function named by the frame, the nearest to its line where there are several: the reporter's version can differ from the indexed one. */
function frameEntities(file: string, name: string, line: number, index: FileIndex): Entity[] {
  const named = index.entitiesOf(file).filter((entity) => entity.name === name && (entity.kind === 'function' || entity.kind === 'method'));
  const distance = ({ span }: Entity) => Math.max(span.startLine - line, line - span.endLine, 0);
  const nearest = named.toSorted((a, b) => distance(a) - distance(b))[0];
  return nearest ? [nearest] : index.entitiesOf(file).slice(0, 1);
}

/** The longest end of a dotted name that something is called; what stands before it chooses between several. */
function symbolEntities(written: string, index: FileIndex, names: PathNames): Entity[] {
  const parts = written.split(/\.|::/);
  for (let first = 0; first < parts.length; first++) {
    const end = parts.slice(first).join('.');
    const module = names.moduleNamed(parts.slice(first));
    if (module && (first === 0 || parts.length - first > 1)) return index.entitiesOf(module).slice(0, 1);
    if (end.length < 3) continue;
    const found = index.resolve(end).filter(({ file }) => !isTestPath(file));
    const inModule = first === 0 ? [] : found.filter(({ file }) => names.isIn(file, parts.slice(0, first)));
    const meant = inModule.length > 0 ? inModule : found;
    if (meant.length > 0) return meant.length <= mostMeanings ? [...meant] : [];
  }
  return [];
}

class PathNames {
  readonly #byName = new Map<string, string[]>();
  readonly #modules = new Map<string, string | undefined>();

  constructor(files: readonly string[]) {
    for (const file of files) {
      const name = file.slice(file.lastIndexOf('/') + 1).toLowerCase();
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), file]);
      const segments = moduleSegments(file);
      // Two segments at least: single words are too common to mean a module.
      for (let first = 0; first < segments.length - 1; first++) {
        const key = segments.slice(first).join('.');
        this.#modules.set(key, this.#modules.has(key) ? undefined : file);
      }
    }
  }

  /** Files that share the most segments with the end of a path; all segments of the shorter one, or a name that only one file has. */
  endingLike(written: string): string[] {
    const wanted = written
      .toLowerCase()
      .split('/')
      .filter((segment) => segment !== '' && segment !== '.' && segment !== '..');
    const named = this.#byName.get(wanted.at(-1) ?? '') ?? [];
    const shared = named.map((file) => sharedEnd(wanted, file.toLowerCase().split('/')));
    const most = Math.max(0, ...shared);
    const best = named.filter((_, position) => shared[position] === most);
    return best.length === 1 || (most > 1 && best.length <= 3) ? best : [];
  }

  moduleNamed(parts: readonly string[]): string | undefined {
    return this.#modules.get(parts.join('.'));
  }

  /** Whether the file, or a folder above it, ends in the given module: `models.query` of `django/db/models/query.py`. */
  isIn(file: string, module: readonly string[]): boolean {
    const segments = moduleSegments(file);
    return `.${segments.join('.')}.`.includes(`.${module.join('.')}.`);
  }
}

function moduleSegments(file: string): string[] {
  const segments = file.replace(/\.[^./]+$/, '').split('/');
  if (segments.at(-1) === '__init__' || segments.at(-1) === 'index') segments.pop();
  return segments;
}

function sharedEnd(a: readonly string[], b: readonly string[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}
