/** @file Parses one source text with tree-sitter and its language's query file. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Language, type Node, Parser, Query, type QueryCapture, type Tree } from 'web-tree-sitter';
import type { FoundDefinition, FoundText } from '../../../core/scout/definitions.ts';
import type { FileRecord, ImportStatement } from '../../../core/scout/fileRecord.ts';
import { type Found, recordFile } from '../../../core/scout/recordFile.ts';
import type { LanguageDefinition } from './languages.ts';

/** Per file, for the parser and again for the query: a text that takes longer is skipped and counted. */
const parseMs = 1000;
/** Patterns with quantifiers can hold this many half-made matches; beyond, a match of a strange file may be lost. */
const matchLimit = 4096;

const grammars = join(dirname(createRequire(import.meta.url).resolve('@vscode/tree-sitter-wasm/package.json')), 'wasm');

interface Grammar {
  readonly parser: Parser;
  readonly query: Query;
}

let runtime: Promise<void> | undefined;
const loaded = new Map<string, Promise<Grammar>>();

export function grammarOf(definition: LanguageDefinition): Promise<Grammar> {
  let grammar = loaded.get(definition.name);
  if (!grammar) {
    grammar = load(definition);
    loaded.set(definition.name, grammar);
  }
  return grammar;
}

async function load(definition: LanguageDefinition): Promise<Grammar> {
  runtime ??= Parser.init();
  await runtime;
  const language = await Language.load(join(grammars, definition.grammar));
  const parser = new Parser();
  parser.setLanguage(language);
  return { parser, query: new Query(language, readFileSync(join(import.meta.dirname, 'queries', definition.query), 'utf8')) };
}

/** undefined: the parser gave up within its time. */
export async function parseFile(text: string, language: LanguageDefinition): Promise<FileRecord | undefined> {
  const { parser, query } = await grammarOf(language);
  const tree = parser.parse(text, null, { progressCallback: deadline() });
  if (!tree) {
    parser.reset();
    return undefined;
  }
  try {
    const found = findIn(tree, query);
    return found && recordFile(text, language.name, language.lexicon, found);
  } finally {
    tree.delete();
  }
}

/** Answers true once the time is over, which makes the parser stop. */
function deadline(): () => boolean {
  const end = performance.now() + parseMs;
  return () => performance.now() > end;
}

function findIn(tree: Tree, query: Query): Found | undefined {
  let late = false;
  const isOver = deadline();
  const progressCallback = () => {
    late = isOver();
    return late;
  };
  const collector = new FoundCollector();
  for (const { captures } of query.matches(tree.rootNode, { matchLimit, progressCallback })) collector.add(captures);
  return late ? undefined : collector.found(tree.rootNode.hasError);
}

const definitionKinds = new Set(['class', 'function', 'variable', 'scope']);

type Definition = { -readonly [Key in keyof FoundDefinition]: FoundDefinition[Key] } & { readonly bases: string[] };
interface Import {
  readonly line: number;
  readonly modules: string[];
  readonly names: string[];
}

/** Several patterns of a query speak of one node: what they say is gathered by node. */
class FoundCollector {
  readonly #definitions = new Map<number, Definition>();
  readonly #imports = new Map<number, Import>();
  readonly #docs: FoundText[] = [];

  add(captures: readonly QueryCapture[]): void {
    for (const { name, node } of captures) {
      if (name === 'doc' || name === 'comment') this.#docs.push(textRange(node));
      else if (name === 'import') this.#addImport(node, captures);
      else if (definitionKinds.has(name)) this.#addDefinition(name as FoundDefinition['kind'], node, captures);
    }
  }

  found(broken: boolean): Found {
    return {
      definitions: [...this.#definitions.values()].filter(({ name }) => name !== ''),
      docs: this.#docs,
      imports: [...this.#imports.values()].flatMap(statementsOf),
      broken,
    };
  }

  #addDefinition(kind: FoundDefinition['kind'], node: Node, captures: readonly QueryCapture[]): void {
    const definition = this.#definitions.get(node.id) ?? definitionAt(node, kind);
    // A variable that holds a function is found as both.
    if (kind === 'function') definition.kind = kind;
    for (const { name, node: part } of captures) {
      if (name === 'name') definition.name = nameOf(part);
      else if (name === 'body') definition.bodyStart = part.startIndex;
      else if (name === 'base') definition.bases.push(part.text);
      else if (name === 'receiver') definition.receiver = part.text;
    }
    this.#definitions.set(node.id, definition);
  }

  #addImport(node: Node, captures: readonly QueryCapture[]): void {
    const statement = this.#imports.get(node.id) ?? { line: node.startPosition.row + 1, modules: [], names: [] };
    for (const { name, node: part } of captures) {
      if (name === 'module') statement.modules.push(unquoted(part.text));
      else if (name === 'imported') statement.names.push(part.text);
    }
    this.#imports.set(node.id, statement);
  }
}

/** Nodes that only decorate or export the definition in them. */
const wrappers = new Set([
  'decorated_definition',
  'export_statement',
  'lexical_declaration',
  'variable_declaration',
  'type_declaration',
  'expression_statement',
]);

function definitionAt(node: Node, kind: FoundDefinition['kind']): Definition {
  let outer = node;
  for (let parent = node.parent; parent && wrappers.has(parent.type) && parent.endIndex - node.endIndex <= 2; parent = parent.parent) outer = parent;
  // Rust's attributes are siblings of what they decorate; its items alone are called so.
  if (node.type.endsWith('_item'))
    for (let before = node.previousNamedSibling; before?.type === 'attribute_item'; before = before.previousNamedSibling) outer = before;
  return {
    kind,
    name: '',
    start: outer.startIndex,
    declarationStart: node.startIndex,
    end: node.endIndex,
    bodyStart: undefined,
    startLine: outer.startPosition.row + 1,
    endLine: node.endPosition.row + 1,
    bases: [],
    receiver: undefined,
  };
}

function textRange(node: Node): FoundText {
  // A line comment of some grammars ends at the beginning of the next line.
  const endRow = node.endPosition.column === 0 && node.endPosition.row > node.startPosition.row ? node.endPosition.row - 1 : node.endPosition.row;
  return { start: node.startIndex, end: node.endIndex, startLine: node.startPosition.row + 1, endLine: endRow + 1 };
}

function nameOf(node: Node): string {
  return unquoted(node.text).slice(0, 200);
}

function unquoted(text: string): string {
  return text.replace(/^["'`]|["'`]$/g, '');
}

function statementsOf({ line, modules, names }: Import): ImportStatement[] {
  return modules.map((module) => ({ module, names, line }));
}
