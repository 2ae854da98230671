/** @file Records by the content they were made of: a file that did not change is never parsed again, in whichever commit, path or repository it is. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { FileRecord } from '../../../core/scout/fileRecord.ts';
import { decodeRecord } from './codec.ts';

/** Grows with every change of what a record says; grammars and queries are hashed beside it. */
const recordVersion = 2;

/** Below the home directory; may be deleted at any time. */
export function scoutCacheRoot(home: string): string {
  return join(home, 'cache', 'scout');
}

let format: string | undefined;

/** Names everything a record depends on besides its content. */
export function recordFormat(): string {
  format ??= formatHash();
  return format;
}

function formatHash(): string {
  const queries = join(import.meta.dirname, '..', 'grammar', 'queries');
  const hash = createHash('sha256').update(String(recordVersion));
  const require = createRequire(import.meta.url);
  for (const name of ['web-tree-sitter', '@vscode/tree-sitter-wasm']) {
    const { version } = JSON.parse(readFileSync(packageFileOf(require.resolve(name)), 'utf8')) as { version: string };
    hash.update(`${name}@${version}`);
  }
  for (const file of readdirSync(queries).sort()) hash.update(file).update(readFileSync(join(queries, file)));
  return hash.digest('hex').slice(0, 16);
}

/** The package.json above a resolved file: not every package exports its own. */
function packageFileOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    try {
      readFileSync(join(folder, 'package.json'));
      return join(folder, 'package.json');
    } catch {
      if (folder === dirname(folder)) throw new Error(`${file}: expected a package.json in a folder above`);
    }
  }
}

export class RecordCache {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, recordFormat());
  }

  /** Synchronous: a thousand small files are read in the time that a thousand promises take to settle. */
  get(blob: string, language: string): FileRecord | undefined {
    try {
      return decodeRecord(readFileSync(this.#path(blob, language)));
    } catch {
      return undefined;
    }
  }

  /** A record that is torn or lost is made again, so nothing waits for the disk. */
  put(blob: string, language: string, bytes: Uint8Array): void {
    const path = this.#path(blob, language);
    const temporary = `${path}.${process.pid}.${threadId}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  }

  #path(blob: string, language: string): string {
    return join(this.#root, blob.slice(0, 2), `${blob.slice(2)}.${language}`);
  }
}
