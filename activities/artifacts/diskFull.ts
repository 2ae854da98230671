/** @file A disk, or the quota on it, that is full: the bare error of the system, with where it happened, how much is free and what to do. */
import { statfs } from 'node:fs/promises';

export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
  readonly path: string;
  readonly freeBytes: number;

  constructor(path: string, freeBytes: number, need: DiskNeed, cause: unknown) {
    const { what, byteLength, remedy = '' } = need;
    super(`disk full at ${path}: ${what} needs ${byteLength} bytes, ${freeBytes} are free. Free some space${remedy}; it is tried again`, { cause });
    this.path = path;
    this.freeBytes = freeBytes;
  }
}

export interface DiskNeed {
  /** `a checkpoint`. */
  readonly what: string;
  readonly byteLength: number;
  /** ` or …`. */
  readonly remedy?: string;
}

export function isFileError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskFullError || isFileError(error, 'ENOSPC', 'EDQUOT');
}

/** The error itself, unless it is the system's for want of space. */
export async function explainFullDisk(error: unknown, directory: string, need: DiskNeed): Promise<unknown> {
  if (!isFileError(error, 'ENOSPC', 'EDQUOT')) return error;
  const { bavail, bsize } = await statfs(directory);
  return new DiskFullError(directory, bavail * bsize, need, error);
}
