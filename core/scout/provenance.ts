/** @file Where a claim can be looked up: `src/app.py:10@1a2b3c4d5e6f`. */
import type { Place } from './findings.ts';

/** A folder without git has the hash of its content in the place of the commit. */
export function provenance({ file, span }: Place, { commit, contentHash }: { readonly commit: string | null; readonly contentHash: string }): string {
  return `${file}:${span.startLine}@${(commit ?? contentHash).slice(0, 12)}`;
}
