/** @file From definitions that a grammar found, in any order, to the entities of a file: nesting, qualified names, signatures, documentation. */
import type { RecordEntity } from './fileRecord.ts';
import type { EntityKind } from './types.ts';

/** A node that a query file names. Offsets are in UTF-16 units, lines from 1. */
export interface FoundDefinition {
  /** A `scope` qualifies what is in it without being an entity: Rust's `impl Server`. */
  readonly kind: 'class' | 'function' | 'variable' | 'scope';
  readonly name: string;
  /** Where the definition begins with its decorators. */
  readonly start: number;
  /** Where its own first word begins. */
  readonly declarationStart: number;
  readonly end: number;
  readonly bodyStart: number | undefined;
  readonly startLine: number;
  readonly endLine: number;
  readonly bases: readonly string[];
  /** Type that a method outside of it belongs to: Go's `func (s *Server)`. */
  readonly receiver: string | undefined;
}

export interface FoundText {
  readonly start: number;
  readonly end: number;
  readonly startLine: number;
  readonly endLine: number;
}

export interface PlacedEntity {
  readonly entity: Omit<RecordEntity, 'calls'>;
  /** Its documentation, before or inside. */
  readonly docs: readonly FoundText[];
  /** Of its documentation, decorators or own first word. */
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

const signatureCharacters = 200;
const docstringCharacters = 400;

/** Documentation by where it stands, so that each definition finds its own at once. */
class Documentation {
  readonly #text: string;
  readonly #byStart: ReadonlyMap<number, FoundText>;
  readonly #byEndLine: ReadonlyMap<number, FoundText>;

  constructor(text: string, docs: readonly FoundText[]) {
    this.#text = text;
    this.#byStart = new Map(docs.map((doc) => [doc.start, doc]));
    this.#byEndLine = new Map(docs.map((doc) => [doc.endLine, doc]));
  }

  /** Inside, at the beginning of the body (Python), or the comments that end on the line before. */
  of({ bodyStart, startLine }: FoundDefinition): FoundText[] {
    const inside = bodyStart === undefined ? undefined : this.#byStart.get(bodyStart);
    if (inside) return [inside];
    const above: FoundText[] = [];
    for (let doc = this.#above(startLine); doc; doc = this.#above(doc.startLine)) above.push(doc);
    return above.toReversed();
  }

  /** A comment that shares its first line with code speaks of that code. */
  #above(line: number): FoundText | undefined {
    const doc = this.#byEndLine.get(line - 1);
    return doc && this.#text.slice(this.#text.lastIndexOf('\n', doc.start - 1) + 1, doc.start).trim() === '' ? doc : undefined;
  }
}

interface OpenDefinition {
  readonly definition: FoundDefinition;
  /** Of the entity; a scope has the number of what is around it. */
  readonly number: number;
  readonly path: string;
}

/** In the order of their beginnings; what is inside a function is part of it. The file itself is not among them: entity 0 stands for it. */
export function placeDefinitions(text: string, found: readonly FoundDefinition[], docs: readonly FoundText[]): PlacedEntity[] {
  const documentation = new Documentation(text, docs);
  const placed: PlacedEntity[] = [];
  const classes = new Map<string, number>();
  const basesOfScopes = new Map<string, string[]>();
  const open: OpenDefinition[] = [];
  for (const definition of found.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    while (open.length > 0 && (open.at(-1)?.definition.end as number) <= definition.start) open.pop();
    const around = open.at(-1);
    if (around && (around.definition.kind === 'function' || definition.kind === 'variable')) continue;
    const owner = definition.receiver ?? around?.path;
    const path = owner ? `${owner}.${definition.name}` : definition.name;
    if (definition.kind === 'scope') {
      basesOfScopes.set(path, [...(basesOfScopes.get(path) ?? []), ...definition.bases]);
      open.push({ definition, number: around?.number ?? 0, path });
      continue;
    }
    const outside = definition.receiver !== undefined || around?.definition.kind === 'scope';
    // Methods can stand before their type, or in another file of the package: then the file is their parent.
    const parent = outside ? (classes.get(owner as string) ?? 0) : (around?.number ?? 0);
    placed.push(placedEntity(text, definition, path, parent, documentation.of(definition)));
    if (definition.kind === 'class') classes.set(path, placed.length);
    open.push({ definition, number: placed.length, path });
  }
  return placed.map((each) => withBases(each, basesOfScopes));
}

function placedEntity(text: string, definition: FoundDefinition, qualifiedName: string, parent: number, docs: FoundText[]): PlacedEntity {
  const { name, end, startLine, endLine, bases, declarationStart } = definition;
  const bodyStart = definition.bodyStart ?? end;
  const kind = kindOf(definition, qualifiedName);
  const signature = oneLine(text.slice(declarationStart, Math.min(bodyStart, declarationStart + 4 * signatureCharacters)), kind);
  const docstring = firstParagraph(docs.map((doc) => text.slice(doc.start, doc.end)).join('\n'));
  const start = Math.min(definition.start, docs[0]?.start ?? definition.start);
  return { entity: { kind, name, qualifiedName, parent, startLine, endLine, signature, docstring, bases }, docs, start, bodyStart, end };
}

function kindOf({ kind, name }: FoundDefinition, qualifiedName: string): EntityKind {
  if (kind === 'function') return qualifiedName === name ? 'function' : 'method';
  return kind === 'class' ? 'class' : 'variable';
}

function withBases(placed: PlacedEntity, bases: ReadonlyMap<string, readonly string[]>): PlacedEntity {
  const more = placed.entity.kind === 'class' ? bases.get(placed.entity.qualifiedName) : undefined;
  return more ? { ...placed, entity: { ...placed.entity, bases: [...placed.entity.bases, ...more] } } : placed;
}

function oneLine(declaration: string, kind: EntityKind): string {
  const text = kind === 'variable' ? (declaration.split('\n', 1)[0] as string) : declaration;
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/(=>|[:{=;])$/, '')
    .trim()
    .slice(0, signatureCharacters);
}

/** Without the marks of comments and strings. */
export function firstParagraph(written: string): string {
  const text = written
    .replace(/^[rRuUbBfF]{0,2}("""|'''|"|')|("""|'''|"|')$/g, '')
    .replace(/^\s*(\/\*\*?|\*\/|\*|\/\/[/!]?|#)\s?/gm, '')
    .replace(/\*\/\s*$/, '')
    .trim();
  return (text.split(/\n\s*\n/, 1)[0] as string).replace(/\s+/g, ' ').slice(0, docstringCharacters);
}
