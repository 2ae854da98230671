/** @file The workflow bundle: built once for what it is made of, shared by workers, tests and replays. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { writeFileAtomic } from '../activities/artifacts/atomicWrite.ts';
import { turnwiseHome } from '../activities/artifacts/paths.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const bundlePrefix = 'workflows-';
/** Bundles that nothing has asked for that long are removed when a new one is written. */
const keptForMs = 7 * 24 * 3600 * 1000;

export interface WorkflowBundle {
  readonly codePath: string;
}

/** The bundle of the workflows as they are on disk now. Several processes may ask at once: each writes the same file in one step. */
export async function workflowBundle(cache = join(turnwiseHome(), 'cache')): Promise<WorkflowBundle> {
  const codePath = join(cache, `${bundlePrefix}${await contentHash()}.js`);
  const now = new Date();
  const known = await utimes(codePath, now, now).then(
    () => true,
    () => false,
  );
  if (!known) {
    await writeFileAtomic(codePath, await build());
    await removeOldBundles(cache);
  }
  return { codePath };
}

async function build(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(project, 'workflows/index.ts'),
    logger: new DefaultLogger('WARN'),
  });
  return code;
}

/** Sources, and the SDK that compiles them and is part of the bundle. */
async function contentHash(): Promise<string> {
  const hash = createHash('sha256');
  const sdk = createRequire(import.meta.url)('@temporalio/worker/package.json') as { readonly version: string };
  hash.update(`@temporalio/worker ${sdk.version}`);
  for (const path of [...(await sources('core')), ...(await sources('workflows'))]) {
    hash.update(`\0${relative(project, path)}\0`).update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(project, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function removeOldBundles(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(bundlePrefix)) continue;
    const path = join(cache, name);
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - modified > keptForMs) await rm(path, { force: true });
  }
}
