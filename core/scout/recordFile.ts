/** @file A file's record from its text and what the grammar found in it. */
import { type FoundDefinition, type FoundText, firstParagraph, type PlacedEntity, placeDefinitions } from './definitions.ts';
import type { FileRecord, ImportStatement, RecordEntity, TextField } from './fileRecord.ts';
import { PostingCollector } from './postings.ts';
import { type Lexicon, visitWords, type WordRole } from './words.ts';

export interface Found {
  readonly definitions: readonly FoundDefinition[];
  readonly docs: readonly FoundText[];
  readonly imports: readonly ImportStatement[];
  readonly broken: boolean;
}

const mostCalls = 200;

export function recordFile(text: string, language: string, lexicon: Lexicon, found: Found): FileRecord {
  const placed = placeDefinitions(text, found.definitions, found.docs);
  const lines = text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const { collector, calls } = collectWords(text, lexicon, placed);
  const file: RecordEntity = {
    kind: 'file',
    name: '',
    qualifiedName: '',
    parent: -1,
    startLine: Math.min(1, lines),
    endLine: lines,
    signature: '',
    docstring: moduleDoc(text, placed, found.docs),
    bases: [],
    calls: calls[0] as string[],
  };
  const entities = [file, ...placed.map(({ entity }, index) => ({ ...entity, calls: calls[index + 1] as string[] }))];
  return { language, broken: found.broken, lines, entities, imports: found.imports, terms: collector.terms, postings: collector.postings() };
}

/** Each word belongs to the innermost entity around it. */
function collectWords(text: string, lexicon: Lexicon, placed: readonly PlacedEntity[]) {
  const collector = new PostingCollector();
  const calls = [new Set<string>(), ...placed.map(() => new Set<string>())];
  placed.forEach(({ entity }, index) => {
    collector.add(entity.name, index + 1, 'name');
  });
  const position = new Position(placed);
  visitWords(text, lexicon, (word, role, offset) => {
    const { entity, inDoc } = position.moveTo(offset);
    collector.add(word, entity, fieldOf(role, inDoc, entity > 0 && offset < (placed[entity - 1] as PlacedEntity).bodyStart));
    const called = calls[entity] as Set<string>;
    if (role === 'call' && called.size < mostCalls && word !== placed[entity - 1]?.entity.name) called.add(word);
  });
  return { collector, calls: calls.map((names) => [...names]) };
}

function fieldOf(role: WordRole, inDoc: boolean, inSignature: boolean): TextField {
  if (inDoc) return 'doc';
  if (role === 'string' || role === 'comment') return role;
  return inSignature ? 'signature' : 'code';
}

/** The innermost entity and whether documentation is there, for offsets that only grow. */
class Position {
  readonly #placed: readonly PlacedEntity[];
  readonly #docs: readonly FoundText[];
  readonly #open: number[] = [];
  #nextEntity = 0;
  #nextDoc = 0;

  constructor(placed: readonly PlacedEntity[]) {
    this.#placed = placed;
    this.#docs = placed.flatMap(({ docs }) => docs).sort((a, b) => a.start - b.start);
  }

  moveTo(offset: number): { readonly entity: number; readonly inDoc: boolean } {
    while (this.#nextEntity < this.#placed.length && (this.#placed[this.#nextEntity] as PlacedEntity).start <= offset) this.#open.push(this.#nextEntity++);
    while (this.#open.length > 0 && (this.#placed[this.#open.at(-1) as number] as PlacedEntity).end <= offset) this.#open.pop();
    while (this.#nextDoc < this.#docs.length && (this.#docs[this.#nextDoc] as FoundText).end <= offset) this.#nextDoc++;
    const doc = this.#docs[this.#nextDoc];
    return { entity: (this.#open.at(-1) ?? -1) + 1, inDoc: doc !== undefined && doc.start <= offset };
  }
}

/** Documentation that is the first thing of the file and no definition's own. */
function moduleDoc(text: string, placed: readonly PlacedEntity[], docs: readonly FoundText[]): string {
  const first = docs.reduce<FoundText | undefined>((least, doc) => (least && least.start <= doc.start ? least : doc), undefined);
  if (!first || text.slice(0, first.start).trim() !== '' || placed.some(({ start, end }) => start <= first.start && first.end <= end)) return '';
  return firstParagraph(text.slice(first.start, first.end));
}
