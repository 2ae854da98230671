/**
 * @file The contract of scouting's static half: what an index knows of a repository, and what static scoping hands over.
 * CodeScout here is arXiv 2603.05744. Readonly and JSON-safe, except `RepositoryIndex` and `OpenRepository`, which live inside one process.
 */
import type { Text } from '../rollout/types.ts';

/** `src/app.py` for a file, `src/app.py:Server.start` for what is in it, `src/app.py:import os.path` for an import; a second definition of one name ends in `~2`. */
export type EntityId = string;

export type EntityKind = 'file' | 'class' | 'function' | 'method' | 'import' | 'variable';

/** Lines from 1, both ends included. */
export interface Span {
  readonly startLine: number;
  readonly endLine: number;
}

export interface Entity {
  readonly id: EntityId;
  readonly kind: EntityKind;
  /** Path from the root of the repository, with `/`. */
  readonly file: string;
  /** Without its parents: `start`. A file's is its path. */
  readonly name: string;
  /** With them: `Server.start`. A file's is its path. */
  readonly qualifiedName: string;
  /** The class, function or file around it; null for a file. */
  readonly parent: EntityId | null;
  readonly span: Span;
  /** The declaration on one line, without its body: `def start(self, port=80) -> None`. */
  readonly signature: string;
  /** First paragraph of the documentation; empty where there is none. */
  readonly docstring: string;
}

export type EdgeKind = 'contains' | 'imports' | 'inherits' | 'calls';

/** One step in the graph, seen from an entity: `out` is what it contains, imports, inherits from or calls; `in` is what does so to it. */
export interface Neighbour {
  readonly edge: EdgeKind;
  readonly direction: 'in' | 'out';
  readonly entity: Entity;
}

/** Why a file is not in the index. */
export type SkipReason =
  /** No grammar for its name. */
  | 'otherLanguage'
  /** Above `largestFileBytes`. */
  | 'tooLarge'
  | 'binary'
  | 'notUtf8'
  | 'symlink'
  | 'submodule'
  /** A path that leaves the repository, or that no file system takes. */
  | 'unsafePath'
  /** The parser gave up within its time. */
  | 'unparsable'
  /** Named by the tree, absent or unreadable. */
  | 'unreadable'
  /** Beyond `mostFiles`. */
  | 'overLimit';

export interface IndexSummary {
  readonly files: number;
  readonly testFiles: number;
  readonly entities: Readonly<Record<EntityKind, number>>;
  /** Indexed files by language: `{ python: 903 }`. */
  readonly languages: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  /** Files with syntax errors: what could be read of them is in the index. */
  readonly broken: number;
  /** Files that were parsed for this index; the others came from the cache. */
  readonly parsed: number;
}

/** Where a repository is: a git directory (bare or with a work tree) or a plain folder. */
export interface RepositorySource {
  /** Absolute. */
  readonly directory: string;
  /** Any name git resolves to a commit; absent is HEAD. Ignored for a folder without git. */
  readonly commit?: string;
}

/** An index that has been made: what workflows carry. The content comes back with `openRepository`. */
export interface IndexedRepository {
  readonly directory: string;
  /** Full hash; null for a plain folder. */
  readonly commit: string | null;
  /** Hash of every indexed path and its content: two indexes with the same one are equal. */
  readonly contentHash: string;
  readonly summary: IndexSummary;
}

export interface RepositoryIndex {
  readonly repository: IndexedRepository;
  /** Paths, sorted. */
  readonly files: readonly string[];
  entity(id: EntityId): Entity | undefined;
  /** What a file contains, in the order of its lines, the file itself first; empty for an unknown path. */
  entitiesOf(file: string): readonly Entity[];
  /** Definitions (no imports) that a name can mean: an id, `Server.start`, or `start`; the given file's first. */
  resolve(name: string, file?: string): readonly Entity[];
  neighbours(id: EntityId): readonly Neighbour[];
  isTest(file: string): boolean;
}

/** Lines of one file at the indexed commit. */
export interface SourceExcerpt {
  readonly file: string;
  /** Clipped to the lines that the file has. */
  readonly span: Span;
  readonly text: string;
}

/** An index with the sources behind it. */
export interface OpenRepository {
  readonly index: RepositoryIndex;
  /**
   * Lines of a file, or all of it. At most `mostExcerptBytes` of text, cut at a line.
   * @throws RepositoryError when the index has no such file.
   */
  sourceOf(file: string, span?: Span): Promise<SourceExcerpt>;
}

/** One place to look at, best first. */
export interface ScopeTarget {
  /** From 1. */
  readonly rank: number;
  readonly file: string;
  readonly entity: EntityId;
  readonly kind: EntityKind;
  readonly span: Span;
  /** At most 200 characters. */
  readonly signature: string;
  /** Comparable within one scope only. */
  readonly relevance: number;
  /** For a person: `named in the issue; 'separability', 'matrix' in its name`. At most 240 characters. */
  readonly reason: string;
}

export interface ScopeFile {
  readonly rank: number;
  readonly file: string;
  readonly relevance: number;
  readonly reason: string;
}

/** What a scope names in the issue: resolved in the index or not. */
export interface Mention {
  /** As written. */
  readonly text: string;
  readonly kind: 'path' | 'symbol' | 'traceback';
  /** Entities that it can mean, at most 5; empty where the index knows none. */
  readonly entities: readonly EntityId[];
}

export interface StaticScope {
  readonly repository: IndexedRepository;
  readonly files: readonly ScopeFile[];
  readonly targets: readonly ScopeTarget[];
  /** At most 40. */
  readonly mentions: readonly Mention[];
}

export interface ScopeInput {
  readonly repository: IndexedRepository;
  readonly issue: Text;
  /** Default 15, at most 60: the result stays below 64 KiB. */
  readonly targets?: number;
  /** Default 20, at most 60. */
  readonly files?: number;
}

/** Activities of the task queue `turnwise-scout` that need no model. */
export interface RepositoryActivities {
  /**
   * Reads the tree of one commit (or a folder) and keeps the index in the cache. May be repeated: the same content gives the same hash.
   * @throws ApplicationFailure `RepositoryError`, non-retryable, where there is no repository or no such commit.
   */
  indexRepository(input: RepositorySource): Promise<IndexedRepository>;
  /** Ranks files and entities for an issue without a model. Deterministic: same index, same issue, same bytes. */
  scopeStatically(input: ScopeInput): Promise<StaticScope>;
}
