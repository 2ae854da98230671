/** @file Where the bytes of a repository come from: git objects or a folder. Both name a content by git's hash of it, so that they share one cache. */
import { createHash } from 'node:crypto';
import type { SkipReason } from '../../../core/scout/types.ts';

/** A file that can be read, before its content has been looked at. */
export interface ListedFile {
  readonly path: string;
  /** Git's name of the content: sha-1 (or sha-256) of `blob <size>\0` and the bytes. */
  readonly blob: string;
  readonly byteLength: number;
}

export type SkipCounts = Partial<Record<SkipReason, number>>;

export interface Listing {
  /** Sorted by path. */
  readonly files: readonly ListedFile[];
  readonly skipped: SkipCounts;
}

/** Small and serialisable, so that a worker thread can open the same source. */
export type SourceDescription =
  | { readonly kind: 'git'; readonly gitDirectory: string; readonly commit: string }
  | { readonly kind: 'folder'; readonly directory: string };

export interface ContentReader {
  /** Bytes of each file in the order asked for; undefined where they cannot be had, or are not the listed ones any more. */
  read(files: readonly ListedFile[]): AsyncGenerator<Uint8Array | undefined>;
}

export const largestFileBytes = 1 << 20;
export const mostFiles = 50_000;

export function blobHash(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

export function count(skipped: SkipCounts, reason: SkipReason, by = 1): void {
  skipped[reason] = (skipped[reason] ?? 0) + by;
}

/** Code-unit order, the same on every machine. */
export function byPath(a: ListedFile, b: ListedFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
