/** @file The policy that a person names: of a run by its name, of a checkpoint or a Hugging Face model by its directory. Verified where there is a manifest. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isHubName, parseHubName } from '../../core/model/hubName.ts';
import { runPaths } from '../artifacts/paths.ts';
import { baseDirectoryOf, isAdapterDirectory } from './adapterDirectory.ts';
import { CheckpointError } from './checkpointErrors.ts';
import { digestOf } from './durableFile.ts';
import { listCheckpoints } from './findCheckpoint.ts';
import type { Tell } from './hub/downloadProgress.ts';
import { manifestName, verifyCheckpoint } from './manifest.ts';
import { modelDirectoryOf } from './modelSource.ts';

export interface NamedPolicy {
  /** Short, for clients and tables: the run, the checkpoint or the directory. */
  readonly name: string;
  /** Hugging Face directory. */
  readonly path: string;
  /** Names the content: the sha-256 of the checkpoint's manifest, or of the directory's weights and settings. */
  readonly key: string;
  /** Such as `global_step_12`; absent for a Hugging Face directory. */
  readonly checkpoint?: string;
  /** The run that was named, not its directory. */
  readonly run?: string;
}

/** @param checkpoint of a run, such as `global_step_12`; absent: the newest. @param tell of a download from the hub. */
export async function namedPolicy(home: string, text: string, checkpoint?: string, tell?: Tell): Promise<NamedPolicy> {
  const isName = /^[a-z0-9][a-z0-9._-]*$/.test(text);
  if (isName && (await exists(runPaths(home, text).root))) return policyOfRun(home, text, checkpoint);
  if (checkpoint !== undefined) throw new Error(`${text}: expected the name of a run, of which to take ${checkpoint}; ${await runsText(home)}`);
  if (isHubName(text)) return policyOfHub(text, tell);
  const path = resolve(text);
  if (await exists(join(path, manifestName))) return policyOfCheckpoint(path);
  if ((await exists(join(path, 'checkpoints'))) && basename(dirname(path)) === 'runs')
    throw new Error(
      `${text}: expected a checkpoint or a Hugging Face directory, got that of a run; name the run, ${basename(path)}, or a directory in its checkpoints/`,
    );
  if (!(await exists(join(path, 'config.json'))) && !(await isAdapterDirectory(path))) {
    throw new Error(
      `${text}: expected a run, a checkpoint or a Hugging Face directory (with config.json or adapter_config.json), found none of them; ${await runsText(home)}`,
    );
  }
  if (basename(path) === 'policy' && (await exists(join(dirname(path), manifestName)))) return policyOfCheckpoint(dirname(path));
  return { name: basename(path), path, key: await contentKey(path, tell) };
}

async function policyOfHub(text: string, tell: Tell | undefined): Promise<NamedPolicy> {
  const path = await modelDirectoryOf(text, tell);
  return { name: parseHubName(text).repo, path, key: await contentKey(path, tell) };
}

async function policyOfRun(home: string, run: string, checkpoint: string | undefined): Promise<NamedPolicy> {
  const { checkpoints } = runPaths(home, run);
  const names = await listCheckpoints(checkpoints);
  const name = checkpoint ?? names.at(-1);
  if (name === undefined) throw new Error(`run ${run}: no checkpoint yet under ${checkpoints}: npm run resume -- ${run}`);
  if (!names.includes(name)) throw new CheckpointError(name, `expected it in ${checkpoints}, which has ${names.join(', ') || 'none'}`);
  return { ...(await policyOfCheckpoint(join(checkpoints, name))), name: run, run };
}

async function policyOfCheckpoint(directory: string): Promise<NamedPolicy> {
  const key = await verifyCheckpoint(directory);
  return { name: basename(directory), path: join(directory, 'policy'), key, checkpoint: basename(directory) };
}

/** Of everything that what the model says depends on; its card and other papers may change. */
async function contentKey(path: string, tell?: Tell): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(path)).filter((name) => /\.(safetensors|json|jinja)$/.test(name)).toSorted();
  for (const name of names) hash.update(`${name} ${(await digestOf(join(path, name))).sha256}\n`);
  if (await isAdapterDirectory(path)) hash.update(await contentKey(await baseDirectoryOf(path, undefined, tell)));
  return hash.digest('hex');
}

async function runsText(home: string): Promise<string> {
  const names = (await readdir(join(home, 'runs')).catch(() => [])).toSorted();
  if (names.length === 0) return `there are no runs under ${home} yet; \`npm run quickstart\` makes one`;
  return `runs under ${home}: ${names.slice(-8).join(', ')}${names.length > 8 ? ', …' : ''}`;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
