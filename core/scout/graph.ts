/** @file Edges between entities: what a file imports, what a class inherits from, what a function calls. Resolved by name, nearest first; what stays ambiguous has no edge. */
import type { FileIndex } from './repositoryIndex.ts';
import type { EdgeKind, Entity, EntityId, Neighbour } from './types.ts';

/** A name that this many definitions share says nothing of which one is called. */
const mostCandidates = 3;

export class Graph {
  readonly #index: FileIndex;
  readonly #out = new Map<EntityId, Map<EdgeKind, Set<EntityId>>>();
  readonly #in = new Map<EntityId, Map<EdgeKind, Set<EntityId>>>();

  constructor(index: FileIndex) {
    this.#index = index;
  }

  connect(from: EntityId, edge: EdgeKind, to: EntityId): void {
    if (from === to) return;
    add(this.#out, from, edge, to);
    add(this.#in, to, edge, from);
  }

  neighbours({ id }: Entity): Neighbour[] {
    return [...this.#side(id, 'out', this.#out), ...this.#side(id, 'in', this.#in)];
  }

  #side(id: EntityId, direction: Neighbour['direction'], edges: ReadonlyMap<EntityId, ReadonlyMap<EdgeKind, ReadonlySet<EntityId>>>): Neighbour[] {
    return [...(edges.get(id) ?? [])].flatMap(([edge, others]) =>
      [...others].flatMap((other) => {
        const entity = this.#index.entity(other);
        return entity ? [{ edge, direction, entity }] : [];
      }),
    );
  }
}

function add(edges: Map<EntityId, Map<EdgeKind, Set<EntityId>>>, id: EntityId, edge: EdgeKind, other: EntityId): void {
  const byKind = edges.get(id) ?? new Map<EdgeKind, Set<EntityId>>();
  const others = byKind.get(edge) ?? new Set<EntityId>();
  others.add(other);
  byKind.set(edge, others);
  edges.set(id, byKind);
}

export function graphOf(index: FileIndex): Graph {
  const { importedFiles } = index;
  const graph = new Graph(index);
  for (const { path, record } of index.indexed) {
    const entities = index.entitiesOf(path);
    const visible = new Set([path, ...(importedFiles.get(path) ?? [])]);
    for (const target of importedFiles.get(path) ?? []) graph.connect(path, 'imports', target);
    record.entities.forEach(({ bases, calls }, position) => {
      const entity = entities[position] as Entity;
      if (entity.parent !== null) graph.connect(entity.parent, 'contains', entity.id);
      for (const base of bases) connectTo(graph, entity, 'inherits', definitionsOf(index, lastName(base), visible, ['class']));
      for (const call of calls) connectTo(graph, entity, 'calls', definitionsOf(index, call, visible, ['function', 'method', 'class']));
    });
  }
  return graph;
}

function connectTo(graph: Graph, from: Entity, edge: EdgeKind, targets: readonly Entity[]): void {
  for (const target of targets) graph.connect(from.id, edge, target.id);
}

/** Definitions that a file can see, else those of the whole repository; none where they are too many. */
function definitionsOf(index: FileIndex, name: string, visible: ReadonlySet<string>, kinds: readonly Entity['kind'][]): readonly Entity[] {
  const named = index.resolve(name).filter(({ kind }) => kinds.includes(kind));
  const near = named.filter(({ file }) => visible.has(file));
  const chosen = near.length > 0 ? near : named;
  return chosen.length <= mostCandidates ? chosen : [];
}

/** `other.Mixin` and `Foo<T>` name Mixin and Foo. */
function lastName(written: string): string {
  return written
    .replace(/[<[(][\s\S]*$/, '')
    .split(/\.|::/)
    .at(-1) as string;
}
