/** @file The index of one tree: entities by id, by file and by name, and what they are to one another. */

import type { FileRecord, RecordEntity } from './fileRecord.ts';
import { type Graph, graphOf } from './graph.ts';
import { ModuleTable } from './imports.ts';
import { isTestPath } from './paths.ts';
import type { Entity, EntityId, EntityKind, IndexedRepository, Neighbour, RepositoryIndex } from './types.ts';

export interface IndexedFile {
  readonly path: string;
  readonly record: FileRecord;
}

const namesOnly: ReadonlySet<EntityKind> = new Set(['file', 'import']);

export class FileIndex implements RepositoryIndex {
  readonly repository: IndexedRepository;
  readonly indexed: readonly IndexedFile[];
  readonly files: readonly string[];
  readonly #byFile = new Map<string, readonly Entity[]>();
  readonly #byId = new Map<EntityId, Entity>();
  #byName: Map<string, Entity[]> | undefined;
  #importedFiles: ReadonlyMap<string, readonly string[]> | undefined;
  #graph: Graph | undefined;

  /** Files sorted by path. */
  constructor(repository: IndexedRepository, indexed: readonly IndexedFile[]) {
    this.repository = repository;
    this.indexed = indexed;
    this.files = indexed.map(({ path }) => path);
    for (const file of indexed) {
      const entities = entitiesOf(file);
      this.#byFile.set(file.path, entities);
      for (const entity of entities) this.#byId.set(entity.id, entity);
    }
  }

  entity(id: EntityId): Entity | undefined {
    return this.#byId.get(id);
  }

  entitiesOf(file: string): readonly Entity[] {
    return this.#byFile.get(file) ?? [];
  }

  resolve(name: string, file?: string): readonly Entity[] {
    const exact = this.#byId.get(name);
    if (exact) return [exact];
    const named = this.#names.get(name) ?? [];
    return file === undefined ? named : [...named.filter((entity) => entity.file === file), ...named.filter((entity) => entity.file !== file)];
  }

  neighbours(id: EntityId): readonly Neighbour[] {
    const entity = this.#byId.get(id);
    return entity ? this.graph.neighbours(entity) : [];
  }

  isTest(file: string): boolean {
    return isTestPath(file);
  }

  /** By the file that imports, in the order of its statements. */
  get importedFiles(): ReadonlyMap<string, readonly string[]> {
    if (this.#importedFiles) return this.#importedFiles;
    const modules = new ModuleTable(this.files);
    const filesOf = ({ path, record }: IndexedFile) => [...new Set(record.imports.flatMap((statement) => modules.filesOf(statement, path)))];
    this.#importedFiles = new Map(this.indexed.map((file) => [file.path, filesOf(file)]));
    return this.#importedFiles;
  }

  get graph(): Graph {
    this.#graph ??= graphOf(this);
    return this.#graph;
  }

  /** By `start` and by `Server.start`. */
  get #names(): ReadonlyMap<string, Entity[]> {
    if (this.#byName) return this.#byName;
    this.#byName = new Map();
    for (const entity of this.#byId.values()) {
      if (namesOnly.has(entity.kind)) continue;
      for (const name of new Set([entity.name, entity.qualifiedName])) {
        const known = this.#byName.get(name);
        if (known) known.push(entity);
        else this.#byName.set(name, [entity]);
      }
    }
    return this.#byName;
  }
}

/** The first ones are those of the record, in its order; imports follow. */
function entitiesOf({ path, record }: IndexedFile): Entity[] {
  const taken = new Map<string, number>();
  const ids: EntityId[] = [];
  const entities = record.entities.map((entity, position): Entity => {
    const id = position === 0 ? path : unique(`${path}:${entity.qualifiedName}`, taken);
    ids.push(id);
    return entityOf(entity, id, path, position === 0 ? null : (ids[entity.parent] ?? path));
  });
  const imports = record.imports.map(({ module, names, line }): Entity => {
    const id = unique(`${path}:import ${module}`, taken);
    const signature = (names.length === 0 ? `import ${module}` : `from ${module} import ${names.join(', ')}`).slice(0, 200);
    return {
      id,
      kind: 'import',
      file: path,
      name: module,
      qualifiedName: module,
      parent: path,
      span: { startLine: line, endLine: line },
      signature,
      docstring: '',
    };
  });
  return [...entities, ...imports];
}

function unique(id: EntityId, taken: Map<string, number>): EntityId {
  const times = (taken.get(id) ?? 0) + 1;
  taken.set(id, times);
  return times === 1 ? id : `${id}~${times}`;
}

function entityOf(
  { kind, name, qualifiedName, startLine, endLine, signature, docstring }: RecordEntity,
  id: EntityId,
  file: string,
  parent: EntityId | null,
): Entity {
  const span = { startLine, endLine };
  if (kind === 'file') return { id, kind, file, name: file, qualifiedName: file, parent, span, signature: file, docstring };
  return { id, kind, file, name, qualifiedName, parent, span, signature, docstring };
}
