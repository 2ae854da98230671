/** @file What is kept of one file whatever its path and repository: its entities, and which terms stand where in it. Made by the parser, kept by blob. */
import type { EntityKind } from './types.ts';

/** Where in an entity a term stands; the position in this list is its number in a posting. */
export const textFields = ['name', 'signature', 'doc', 'code', 'string', 'comment'] as const;
export type TextField = (typeof textFields)[number];

/** Everything of an entity that a path is not needed for. The first of a record is the file itself. */
export interface RecordEntity {
  readonly kind: EntityKind;
  readonly name: string;
  readonly qualifiedName: string;
  /** Position of the entity around it in the record; −1 for the file. */
  readonly parent: number;
  readonly startLine: number;
  readonly endLine: number;
  readonly signature: string;
  readonly docstring: string;
  /** Names that a class is derived from, as written. */
  readonly bases: readonly string[];
  /** Names called in it, without what stands before the last dot; each once. */
  readonly calls: readonly string[];
}

export interface ImportStatement {
  /** As written: `.models`, `../a/b.js`, `crate::net::socket`. */
  readonly module: string;
  /** Imported names, without their aliases; empty where the whole module is. */
  readonly names: readonly string[];
  readonly line: number;
}

export interface FileRecord {
  readonly language: string;
  /** The parser met a syntax error. */
  readonly broken: boolean;
  readonly lines: number;
  readonly entities: readonly RecordEntity[];
  readonly imports: readonly ImportStatement[];
  readonly terms: readonly string[];
  /**
   * Four numbers a posting: entity, term, field, count. A term belongs to the innermost entity around it, so that
   * the entities of a record add up to its file.
   */
  readonly postings: Uint16Array;
}

export const postingWidth = 4;
/** What a posting can count and point at. */
export const mostPerRecord = 65_535;
