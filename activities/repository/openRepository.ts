/** @file Opens a repository at one commit, or a plain folder: lists it, takes what is known from the cache, parses the rest. */
import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { isTestPath } from '../../core/scout/paths.ts';
import { FileIndex, type IndexedFile } from '../../core/scout/repositoryIndex.ts';
import type { EntityKind, IndexedRepository, IndexSummary, OpenRepository, RepositorySource, SourceExcerpt, Span } from '../../core/scout/types.ts';
import { recordFormat, scoutCacheRoot } from './records/cache.ts';
import { type Records, recordsOf } from './records/records.ts';
import { RepositoryError } from './repositoryError.ts';
import { listFolder } from './sources/folder.ts';
import { gitDirectoryOf, listTree, resolveCommit } from './sources/git.ts';
import { readerOf } from './sources/readers.ts';
import { count, type ListedFile, type Listing, type SourceDescription } from './sources/source.ts';

const mostExcerptBytes = 256 << 10;

export interface IndexedSource extends OpenRepository {
  readonly index: FileIndex;
}

/** @throws RepositoryError where there is no repository or no such commit. */
export async function openSource({ directory, commit }: RepositorySource, cacheRoot: string, signal?: AbortSignal): Promise<IndexedSource> {
  if (!isAbsolute(directory)) throw new RepositoryError(`repository: expected an absolute path, got ${JSON.stringify(directory)}`);
  const source = await describe(directory, commit);
  const listing = source.kind === 'git' ? await listTree(source.gitDirectory, source.commit) : await listFolder(source.directory);
  const products = listing.files.filter(({ path }) => !isTestPath(path));
  const records = await recordsOf(source, products, cacheRoot, signal);
  const indexed = products.flatMap(({ path }): IndexedFile[] => {
    const record = records.byPath.get(path);
    return record ? [{ path, record }] : [];
  });
  const repository: IndexedRepository = {
    directory,
    commit: source.kind === 'git' ? source.commit : null,
    contentHash: contentHash(listing, records),
    summary: summaryOf(indexed, listing, products.length, records),
  };
  return { index: new FileIndex(repository, indexed), sourceOf: excerptsOf(source, listing) };
}

/** An index of a large repository takes about 100 MiB. */
const mostOpen = 3;

/**
 * Opens what has been indexed, and keeps the last few open: the stages of one scout ask for the same index again and again.
 * @throws RepositoryError where the content is not the indexed one any more.
 */
export function repositoryOpener(home: string): (repository: IndexedRepository) => Promise<IndexedSource> {
  const open = new Map<string, Promise<IndexedSource>>();
  return (repository) => {
    const key = `${repository.directory}\0${repository.contentHash}`;
    const known = open.get(key) ?? reopen(repository, home);
    open.delete(key);
    open.set(key, known);
    if (open.size > mostOpen) open.delete(open.keys().next().value as string);
    known.catch(() => open.delete(key));
    return known;
  };
}

async function reopen({ directory, commit, contentHash: expected }: IndexedRepository, home: string): Promise<IndexedSource> {
  const opened = await openSource(commit === null ? { directory } : { directory, commit }, scoutCacheRoot(home));
  if (opened.index.repository.contentHash === expected) return opened;
  throw new RepositoryError(`${directory}: expected the content that was indexed, found another; scout again`);
}

async function describe(directory: string, commit: string | undefined): Promise<SourceDescription> {
  const gitDirectory = gitDirectoryOf(directory);
  if (gitDirectory) return { kind: 'git', gitDirectory, commit: await resolveCommit(gitDirectory, commit ?? 'HEAD') };
  if (commit !== undefined) throw new RepositoryError(`${directory}: expected a git directory for commit ${commit}, got a folder without .git`);
  return { kind: 'folder', directory };
}

function contentHash({ files }: Listing, { byPath }: Records): string {
  const hash = createHash('sha256').update(recordFormat());
  for (const { path, blob } of files) if (byPath.has(path)) hash.update(`${path}\0${blob}\n`);
  return hash.digest('hex');
}

function summaryOf(indexed: readonly IndexedFile[], listing: Listing, products: number, records: Records): IndexSummary {
  const entities: Record<EntityKind, number> = { file: 0, class: 0, function: 0, method: 0, import: 0, variable: 0 };
  const languages: Record<string, number> = {};
  for (const { record } of indexed) {
    for (const { kind } of record.entities) entities[kind]++;
    entities.import += record.imports.length;
    languages[record.language] = (languages[record.language] ?? 0) + 1;
  }
  const skipped = { ...listing.skipped };
  for (const reason of records.skipped.values()) count(skipped, reason);
  return {
    files: indexed.length,
    testFiles: listing.files.length - products,
    entities,
    languages,
    skipped,
    broken: indexed.filter(({ record }) => record.broken).length,
    parsed: records.made,
  };
}

function excerptsOf(source: SourceDescription, { files }: Listing): OpenRepository['sourceOf'] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return async (path, span) => {
    const file = byPath.get(path);
    if (!file) throw new RepositoryError(`source: expected a file of the index, got ${JSON.stringify(path.slice(0, 200))}`);
    return excerpt(path, await contentOf(source, file), span);
  };
}

async function contentOf(source: SourceDescription, file: ListedFile): Promise<string> {
  for await (const content of readerOf(source).read([file])) {
    if (content)
      return Buffer.from(content)
        .toString('utf8')
        .replace(/^\uFEFF/, '')
        .replace(/\r\n?/g, '\n');
  }
  throw new RepositoryError(`${file.path}: expected the content that was indexed, got another or none; index the folder again`);
}

function excerpt(file: string, content: string, span: Span | undefined): SourceExcerpt {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const startLine = Math.min(Math.max(1, span?.startLine ?? 1), Math.max(1, lines.length));
  let endLine = Math.max(startLine - 1, Math.min(lines.length, span?.endLine ?? lines.length));
  let text = lines.slice(startLine - 1, endLine).join('\n');
  while (Buffer.byteLength(text) > mostExcerptBytes && endLine > startLine) {
    endLine = startLine + Math.floor((endLine - startLine) / 2);
    text = lines.slice(startLine - 1, endLine).join('\n');
  }
  return { file, span: { startLine, endLine }, text };
}
