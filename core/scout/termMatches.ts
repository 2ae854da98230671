/** @file Where the terms of an issue stand in an index: everything that scoring reads, as flat arrays. */
import { type FileRecord, postingWidth, textFields } from './fileRecord.ts';
import { isTestPath } from './paths.ts';
import type { FileIndex } from './repositoryIndex.ts';
import { termsOf } from './subtokens.ts';
import type { EntityKind } from './types.ts';

export const entityKinds: readonly EntityKind[] = ['file', 'class', 'function', 'method', 'import', 'variable'];

/** Files and entities are numbered through; tests are left out. */
export interface TermMatches {
  readonly paths: readonly string[];
  /** First entity of each file, and the number of entities at the end. */
  readonly firstEntity: Uint32Array;
  /** Entity around each entity; the file's own first entity for top-level ones and itself. */
  readonly parents: Uint32Array;
  readonly kinds: Uint8Array;
  /** Words in each field of each entity. */
  readonly lengths: Float32Array;
  /** By file, term, entity, field. */
  readonly entities: Uint32Array;
  readonly terms: Uint16Array;
  readonly fields: Uint8Array;
  readonly counts: Uint16Array;
  /** First posting of each file, and their number at the end. */
  readonly firstPosting: Uint32Array;
  /** Numbers of terms that stand in each path, once per segment. */
  readonly pathTerms: readonly (readonly number[])[];
}

export function matchesOf(index: FileIndex, terms: readonly string[]): TermMatches {
  const numbers = new Map(terms.map((term, number) => [term, number]));
  const files = index.indexed.filter(({ path }) => !isTestPath(path));
  const entityCount = files.reduce((sum, { record }) => sum + record.entities.length, 0);
  const lengths = new Float32Array(entityCount * textFields.length);
  const parents = new Uint32Array(entityCount);
  const kinds = new Uint8Array(entityCount);
  const firstEntity = new Uint32Array(files.length + 1);
  const firstPosting = new Uint32Array(files.length + 1);
  const found = new PostingList();
  let entity = 0;
  files.forEach(({ record }, file) => {
    firstEntity[file] = entity;
    firstPosting[file] = found.length;
    record.entities.forEach(({ parent, kind }, position) => {
      parents[entity + position] = entity + Math.max(parent, 0);
      kinds[entity + position] = entityKinds.indexOf(kind);
    });
    matchRecord(record, numbers, entity, lengths, found);
    entity += record.entities.length;
  });
  firstEntity[files.length] = entity;
  firstPosting[files.length] = found.length;
  const pathTerms = files.map(({ path }) => pathTermsOf(path).flatMap((term) => numbers.get(term) ?? []));
  return { paths: files.map(({ path }) => path), firstEntity, firstPosting, parents, kinds, lengths, pathTerms, ...found.arrays() };
}

export function pathTermsOf(path: string): string[] {
  return path
    .replace(/\.[^./]+$/, '')
    .split('/')
    .flatMap(termsOf);
}

function matchRecord({ terms, postings }: FileRecord, numbers: ReadonlyMap<string, number>, first: number, lengths: Float32Array, found: PostingList): void {
  const local = Int32Array.from(terms, (term) => numbers.get(term) ?? -1);
  for (let at = 0; at < postings.length; at += postingWidth) {
    const entity = first + (postings[at] as number);
    const term = local[postings[at + 1] as number] as number;
    const field = postings[at + 2] as number;
    const count = postings[at + 3] as number;
    const slot = entity * textFields.length + field;
    lengths[slot] = (lengths[slot] as number) + count;
    if (term >= 0) found.push(entity, term, field, count);
  }
}

/** Grows by doubling. */
class PostingList {
  length = 0;
  #entities = new Uint32Array(1 << 14);
  #terms = new Uint16Array(1 << 14);
  #fields = new Uint8Array(1 << 14);
  #counts = new Uint16Array(1 << 14);

  push(entity: number, term: number, field: number, count: number): void {
    if (this.length === this.#entities.length) this.#grow();
    this.#entities[this.length] = entity;
    this.#terms[this.length] = term;
    this.#fields[this.length] = field;
    this.#counts[this.length] = count;
    this.length++;
  }

  arrays(): Pick<TermMatches, 'entities' | 'terms' | 'fields' | 'counts'> {
    const end = this.length;
    return {
      entities: this.#entities.slice(0, end),
      terms: this.#terms.slice(0, end),
      fields: this.#fields.slice(0, end),
      counts: this.#counts.slice(0, end),
    };
  }

  #grow(): void {
    const size = this.length * 2;
    const grown = <Numbers extends Uint32Array | Uint16Array | Uint8Array>(next: Numbers, old: Numbers): Numbers => {
      next.set(old);
      return next;
    };
    this.#entities = grown(new Uint32Array(size), this.#entities);
    this.#terms = grown(new Uint16Array(size), this.#terms);
    this.#fields = grown(new Uint8Array(size), this.#fields);
    this.#counts = grown(new Uint16Array(size), this.#counts);
  }
}
