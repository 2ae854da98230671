/** @file A user's task file, read, validated and split as a whole before any of it is used. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { TaskSourceConfig } from '../../core/run/config.ts';
import { promptOf } from '../../core/tasks/registry.ts';
import { splitOf } from '../../core/tasks/split.ts';
import type { Checker, Message } from '../../core/tasks/task.ts';
import { checkerOf } from './goldAnswer.ts';
import { detectLayout, type Layout, readRow } from './layouts.ts';
import { type Row, readRows, TaskFileError } from './readRows.ts';
import { withStatement } from './statement.ts';

export type FileSourceConfig = Extract<TaskSourceConfig, { readonly file: string }>;

export interface FileTask {
  readonly messages: readonly Message[];
  readonly checker: Checker;
}

export interface TaskFile {
  readonly path: string;
  readonly sha256: string;
  readonly layout: Layout;
  readonly train: readonly FileTask[];
  readonly heldOut: readonly FileTask[];
  readonly rows: number;
  /** Rows left out: without a question, with one seen before, with one longer than the policy's context. */
  readonly empty: number;
  readonly duplicate: number;
  readonly overLong: number;
}

export interface TaskFileOptions {
  /** Relative paths start here; those of a stored configuration are absolute. */
  readonly baseDirectory: string;
  /** Rows that it says no to are left out and counted. */
  readonly fits: (messages: readonly Message[]) => boolean;
}

const errorsShown = 5;

/** @throws TaskFileError with the first bad rows, each with its place and remedy. */
export async function loadTaskFile(source: FileSourceConfig, options: TaskFileOptions): Promise<TaskFile> {
  const path = resolve(options.baseDirectory, source.file);
  const { rows, blank } = await readRows(path);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  if (source.sha256 !== undefined && source.sha256 !== sha256) {
    throw new TaskFileError(
      `${path}: expected the file that the run was configured with (sha256 ${source.sha256}), got another (sha256 ${sha256}); put the old one back, or start a new run`,
    );
  }
  if (rows.length === 0) throw new TaskFileError(`${path}: expected at least one task, got an empty file`);
  const layout = detectLayout(path, rows);
  return { path, sha256, layout, ...collect(rows, blank, layout, source, options) };
}

function collect(rows: readonly Row[], blank: number, layout: Layout, source: FileSourceConfig, options: TaskFileOptions) {
  const tasks = { train: [] as FileTask[], heldOut: [] as FileTask[] };
  const counts = { rows: rows.length + blank, empty: blank, duplicate: 0, overLong: 0 };
  const errors: string[] = [];
  const seen = new Map<string, { readonly where: string; readonly checker: string }>();
  for (const row of rows) {
    try {
      const { messages, answer } = readRow(row, layout);
      const prompt = promptOf({ messages });
      if (prompt.trim() === '') counts.empty += 1;
      else if (isDuplicate(seen, JSON.stringify(messages), row, checkerOf(source.checker, answer, row.where))) counts.duplicate += 1;
      else {
        // Split and told apart by the question itself: a raw and a scouted source of one file have the same tasks in the same order.
        const shown = withStatement(messages, source.statement ?? 'raw', row);
        if (!options.fits(shown)) counts.overLong += 1;
        else tasks[splitOf(prompt, source.heldOutFraction)].push({ messages: shown, checker: checkerOf(source.checker, answer, row.where) });
      }
    } catch (error) {
      if (!(error instanceof TaskFileError)) throw error;
      errors.push(error.message);
    }
  }
  if (errors.length > 0) throw badRows(errors);
  return { ...tasks, ...counts };
}

/** @throws TaskFileError when the same question has two answers. */
function isDuplicate(seen: Map<string, { readonly where: string; readonly checker: string }>, key: string, row: Row, checker: Checker): boolean {
  const earlier = seen.get(key);
  const mine = { where: row.where, checker: JSON.stringify(checker) };
  if (earlier === undefined) {
    seen.set(key, mine);
    return false;
  }
  if (earlier.checker !== mine.checker)
    throw new TaskFileError(`${row.where}: expected the answer of the same question at ${earlier.where}, got another; drop one of the two`);
  return true;
}

export function badRows(errors: readonly string[]): TaskFileError {
  const more = errors.length > errorsShown ? `\n… and ${errors.length - errorsShown} more rows` : '';
  return new TaskFileError(`${errors.slice(0, errorsShown).join('\n')}${more}`);
}
