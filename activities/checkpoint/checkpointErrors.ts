/** @file What can be wrong with a checkpoint, or with the disk it goes to. */
import { statfs } from 'node:fs/promises';

/** A checkpoint that is missing, torn, or not what its manifest says. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';

  constructor(checkpoint: string, message: string) {
    super(`checkpoint ${checkpoint}: ${message}`);
  }
}

/** The disk, or the quota on it, took less than a checkpoint needs. Nothing of it is left behind. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
  readonly path: string;
  readonly freeBytes: number;

  constructor(path: string, freeBytes: number, neededBytes: number, cause: unknown) {
    super(
      `disk full at ${path}: a checkpoint needs ${neededBytes} bytes, ${freeBytes} are free. Free some space or lower checkpoints.keepLast; the step is tried again`,
      { cause },
    );
    this.path = path;
    this.freeBytes = freeBytes;
  }
}

export function isFileError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Turns an error for want of space into one that says where, how much is free and how much is needed. */
export async function explainFullDisk(error: unknown, directory: string, neededBytes: number): Promise<unknown> {
  if (!isFileError(error, 'ENOSPC', 'EDQUOT')) return error;
  const { bavail, bsize } = await statfs(directory);
  return new DiskFullError(directory, bavail * bsize, neededBytes, error);
}
