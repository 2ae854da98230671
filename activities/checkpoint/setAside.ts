/** @file A directory that stands where a checkpoint should, but must not be used: kept under another name, for a person to look at. */
import { rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '../artifacts/atomicWrite.ts';
import { isFileError } from '../artifacts/diskFull.ts';

export type AsideReason =
  /** Its manifest does not hold. */
  | 'refused'
  /** Whole, but of another history of the run: the step was repeated with other input. */
  | 'superseded';

/** `global_step_12` becomes `refused-1-global_step_12`. Answers with the new name. */
export async function setAside(directory: string, reason: AsideReason): Promise<string> {
  const parent = dirname(directory);
  for (let number = 1; ; number++) {
    const name = `${reason}-${number}-${basename(directory)}`;
    if (await exists(join(parent, name))) continue;
    await rename(directory, join(parent, name));
    await syncDirectory(parent);
    return name;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (isFileError(error, 'ENOENT')) return false;
      throw error;
    },
  );
}
