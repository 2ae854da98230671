/** @file From the name of a model, as a configuration or an adapter has it, to a directory on this machine. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { hubNameText, isHubName, parseHubName } from '../../core/model/hubName.ts';
import type { Tell } from './hub/downloadProgress.ts';
import { hubDirectory } from './hub/hubDirectory.ts';
import { pinnedName } from './hub/pinnedName.ts';

/** The directory that holds the model's files: for `hub:org/name@commit` a snapshot in Hugging Face's cache, downloaded when it is not whole. */
export async function modelDirectoryOf(model: string, tell?: Tell): Promise<string> {
  return isHubName(model) ? hubDirectory(await pinnedName(parseHubName(model)), tell) : resolve(model);
}

/** The name that says the same for ever: of a hub model its commit, of a directory itself. */
export async function pinnedModel(model: string): Promise<string> {
  return isHubName(model) ? hubNameText(await pinnedName(parseHubName(model))) : model;
}

/** An adapter that other software made names its base by a path, or by a name on the hub. */
export function baseOfAdapter(base: string, revision: string | undefined): string {
  if (isHubName(base) || existsSync(base) || !/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(base)) return base;
  return hubNameText({ repo: base, revision: revision ?? 'main' });
}
