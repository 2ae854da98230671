/**
 * @file Reads one commit of a git directory through plumbing commands, without a work tree. No hook, filter or remote helper of the repository runs:
 * objects are printed as they are stored, and a partial clone fetches nothing.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSafePath } from '../../../core/scout/paths.ts';
import type { SkipReason } from '../../../core/scout/types.ts';
import { languageOf } from '../grammar/languages.ts';
import { RepositoryError } from '../repositoryError.ts';
import { byPath, type ContentReader, count, type ListedFile, type Listing, largestFileBytes, mostFiles, type SkipCounts } from './source.ts';

/** A listing of a tree with a million files is about this large. */
const largestListingBytes = 256 << 20;

/** The git directory of a folder: its `.git`, or itself where it is bare; undefined where there is none. */
export function gitDirectoryOf(directory: string): string | undefined {
  if (existsSync(join(directory, '.git'))) return join(directory, '.git');
  const isBare = ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(directory, name)));
  return isBare ? directory : undefined;
}

/** @throws RepositoryError where the name is no commit of the repository. */
export async function resolveCommit(gitDirectory: string, name: string): Promise<string> {
  const { stdout, stderr, exitCode } = await git(gitDirectory, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  const commit = stdout.toString('latin1').trim();
  if (exitCode === 0 && /^[0-9a-f]{40,64}$/.test(commit)) return commit;
  const detail = stderr.trim() === '' ? '' : ` (${stderr.trim().slice(0, 200)})`;
  throw new RepositoryError(`${gitDirectory}: expected a commit, got ${JSON.stringify(name)}, which names none here${detail}; fetch it or give another`);
}

export async function listTree(gitDirectory: string, commit: string): Promise<Listing> {
  const { stdout, stderr, exitCode } = await git(gitDirectory, ['ls-tree', '-r', '-z', '-l', '--full-tree', commit]);
  if (exitCode !== 0) throw new RepositoryError(`${gitDirectory}: expected the tree of ${commit}, git says: ${stderr.trim().slice(0, 300)}`);
  const files: ListedFile[] = [];
  const skipped: SkipCounts = {};
  for (let start = 0; start < stdout.length; ) {
    const end = stdout.indexOf(0, start);
    const file = admitted(stdout.subarray(start, end));
    if (typeof file === 'string') count(skipped, file);
    else if (files.length === mostFiles) count(skipped, 'overLimit');
    else files.push(file);
    start = end + 1;
  }
  return { files: files.sort(byPath), skipped };
}

/** One line of the listing: `<mode> <type> <hash> <size>\t<path>`. */
function admitted(line: Buffer): ListedFile | SkipReason {
  const tab = line.indexOf(9);
  const [mode = '', type, blob = '', size] = line.toString('latin1', 0, tab).split(/ +/);
  if (type === 'commit') return 'submodule';
  if (mode === '120000') return 'symlink';
  const path = utf8(line.subarray(tab + 1));
  if (path === undefined || !isSafePath(path)) return 'unsafePath';
  if (!languageOf(path)) return 'otherLanguage';
  return Number(size) > largestFileBytes ? 'tooLarge' : { path, blob, byteLength: Number(size) };
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Contents by one `git cat-file --batch`, asked for while earlier ones are being read. */
export class GitReader implements ContentReader {
  readonly #gitDirectory: string;

  constructor(gitDirectory: string) {
    this.#gitDirectory = gitDirectory;
  }

  async *read(files: readonly ListedFile[]): AsyncGenerator<Uint8Array | undefined> {
    if (files.length === 0) return;
    const child = spawn('git', gitArguments(this.#gitDirectory, ['cat-file', '--batch']), { stdio: ['pipe', 'pipe', 'ignore'], env: gitEnvironment });
    const failed = new Promise<never>((_, reject) => child.once('error', (error) => reject(noGit(error))));
    failed.catch(() => undefined);
    // A reader that stops early closes the pipe; what git says to that is of no interest.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${files.map(({ blob }) => blob).join('\n')}\n`);
    const bytes = new ByteStream(child.stdout[Symbol.asyncIterator]());
    try {
      for (const _ of files) yield await Promise.race([nextObject(bytes), failed]);
    } finally {
      child.kill();
    }
  }
}

/** `<hash> blob <size>\n<bytes>\n`, or `<hash> missing\n`. */
async function nextObject(bytes: ByteStream): Promise<Uint8Array | undefined> {
  const [, type, size] = (await bytes.line()).split(' ');
  if (size === undefined) return undefined;
  const content = await bytes.take(Number(size));
  await bytes.take(1);
  return type === 'blob' ? content : undefined;
}

class ByteStream {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterator<Buffer>) {
    this.#chunks = chunks;
  }

  async line(): Promise<string> {
    let end = this.#rest.indexOf(10);
    while (end === -1) {
      await this.#more([]);
      end = this.#rest.indexOf(10);
    }
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 1);
    return line;
  }

  async take(length: number): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    while (this.#rest.length + parts.reduce((sum, part) => sum + part.length, 0) < length) await this.#more(parts);
    const whole = parts.length === 0 ? this.#rest : Buffer.concat([...parts, this.#rest]);
    this.#rest = whole.subarray(length);
    return whole.subarray(0, length);
  }

  /** Sets what is there aside (in `parts`) or joins it with the next chunk. */
  async #more(parts: Buffer[]): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new RepositoryError('git cat-file ended early: the repository is damaged, or git was ended; try `git fsck` there');
    if (parts.length > 0 || this.#rest.length > 1 << 16) {
      parts.push(this.#rest);
      this.#rest = value;
    } else {
      this.#rest = Buffer.concat([this.#rest, value]);
    }
  }
}

interface GitResult {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number | null;
}

function git(gitDirectory: string, args: readonly string[]): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', gitArguments(gitDirectory, args), { stdio: ['ignore', 'pipe', 'pipe'], env: gitEnvironment });
    const stdout: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > largestListingBytes) child.kill();
      else stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < 4096) stderr += chunk.toString('utf8');
    });
    child.once('error', (error) => reject(noGit(error)));
    child.once('close', (exitCode) => resolve({ stdout: Buffer.concat(stdout), stderr, exitCode }));
  });
}

function noGit(error: Error): RepositoryError {
  return new RepositoryError(`git: expected the command on PATH, got ${error.message}; install git, or point at a folder without .git`, { cause: error });
}

function gitArguments(gitDirectory: string, args: readonly string[]): string[] {
  return [
    '--git-dir',
    gitDirectory,
    '--no-pager',
    '--no-optional-locks',
    '--no-replace-objects',
    '-c',
    'protocol.allow=never',
    '-c',
    'core.fsmonitor=false',
    ...args,
  ];
}

/** Nothing of the caller's GIT_* variables: they would name another repository. */
const gitEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
};
