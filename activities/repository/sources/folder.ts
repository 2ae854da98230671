/** @file Reads a plain folder: `.gitignore` files are respected, links are not followed, and what is read must be what was listed. */
import { constants, type Dirent } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { isSafePath } from '../../../core/scout/paths.ts';
import type { SkipReason } from '../../../core/scout/types.ts';
import { languageOf } from '../grammar/languages.ts';
import { RepositoryError } from '../repositoryError.ts';
import { blobHash, byPath, type ContentReader, count, type ListedFile, type Listing, largestFileBytes, mostFiles, type SkipCounts } from './source.ts';

/** Never sources of the project, wherever they are and whatever .gitignore says. */
const foreignFolders = new Set(['.git', 'node_modules', '__pycache__', '.venv', 'venv', '.tox', '.turnwise']);
const deepestFolder = 64;

interface IgnoreFile {
  /** Folder that holds the .gitignore, with a `/` at its end; empty for the root. */
  readonly folder: string;
  readonly rules: Ignore;
}

export async function listFolder(directory: string): Promise<Listing> {
  const walk = new FolderWalk(directory);
  await walk.into('', [], 0);
  return { files: walk.files.sort(byPath), skipped: walk.skipped };
}

class FolderWalk {
  readonly files: ListedFile[] = [];
  readonly skipped: SkipCounts = {};
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async into(folder: string, above: readonly IgnoreFile[], depth: number): Promise<void> {
    const entries = await readdir(join(this.#directory, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (folder !== '') return undefined;
      throw new RepositoryError(`${this.#directory}: expected a folder or a git directory, got ${error.code ?? error.message}`, { cause: error });
    });
    if (!entries || depth > deepestFolder) return count(this.skipped, 'unreadable');
    const ignoreFiles = entries.some((entry) => entry.name === '.gitignore' && entry.isFile()) ? [...above, await this.#ignoreFile(folder)] : above;
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) await this.#visit(entry, folder, ignoreFiles, depth);
  }

  async #visit(entry: Dirent, folder: string, ignoreFiles: readonly IgnoreFile[], depth: number): Promise<void> {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory()) {
      if (!foreignFolders.has(entry.name) && !isIgnored(`${path}/`, ignoreFiles)) await this.into(`${path}/`, ignoreFiles, depth + 1);
    } else if (!isIgnored(path, ignoreFiles)) {
      const file = await this.#admitted(entry, path);
      if (typeof file === 'string') count(this.skipped, file);
      else if (this.files.length === mostFiles) count(this.skipped, 'overLimit');
      else this.files.push(file);
    }
  }

  async #admitted(entry: Dirent, path: string): Promise<ListedFile | SkipReason> {
    if (entry.isSymbolicLink()) return 'symlink';
    if (!entry.isFile()) return 'otherLanguage';
    if (!isSafePath(path)) return 'unsafePath';
    if (!languageOf(path)) return 'otherLanguage';
    const content = await readRegularFile(join(this.#directory, path));
    return typeof content === 'string' ? content : { path, blob: blobHash(content), byteLength: content.byteLength };
  }

  async #ignoreFile(folder: string): Promise<IgnoreFile> {
    const text = await readFile(join(this.#directory, folder, '.gitignore'), 'utf8').catch(() => '');
    return { folder, rules: ignore().add(text) };
  }
}

/** The last .gitignore that speaks of a path decides, as in git. */
function isIgnored(path: string, ignoreFiles: readonly IgnoreFile[]): boolean {
  for (const { folder, rules } of ignoreFiles.toReversed()) {
    const { ignored, unignored } = rules.test(path.slice(folder.length));
    if (ignored || unignored) return ignored;
  }
  return false;
}

/** Opened without following a link, and asked for its size through the same descriptor, so that nothing can be swapped in between. */
async function readRegularFile(file: string): Promise<Uint8Array | 'tooLarge' | 'unreadable'> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (!handle) return 'unreadable';
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return 'unreadable';
    return stats.size > largestFileBytes ? 'tooLarge' : await handle.readFile();
  } catch {
    return 'unreadable';
  } finally {
    await handle.close();
  }
}

export class FolderReader implements ContentReader {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async *read(files: readonly ListedFile[]): AsyncGenerator<Uint8Array | undefined> {
    for (const { path, blob } of files) {
      const content = await readRegularFile(join(this.#directory, path));
      yield content instanceof Uint8Array && blobHash(content) === blob ? content : undefined;
    }
  }
}
