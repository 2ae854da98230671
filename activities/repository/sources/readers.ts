/** @file Opens the reader of a source: the one place that knows both kinds. */
import { FolderReader } from './folder.ts';
import { GitReader } from './git.ts';
import type { ContentReader, SourceDescription } from './source.ts';

export function readerOf(source: SourceDescription): ContentReader {
  return source.kind === 'git' ? new GitReader(source.gitDirectory) : new FolderReader(source.directory);
}
