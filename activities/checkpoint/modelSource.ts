/** @file From the name of a model, as a configuration or an adapter has it, to a directory on this machine. */
import { resolve } from 'node:path';

/** The directory that holds the model's files. */
export async function modelDirectoryOf(model: string): Promise<string> {
  return resolve(model);
}
