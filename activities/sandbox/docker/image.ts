/**
 * @file The image that boxes are made from, in this order: the one that was configured; the one of an earlier build or import, found by the hash of what is in it; built
 * from sandbox/Dockerfile when its base image is here; made of this machine's Python, offline; else an error with the commands. Nothing is pulled: what a machine downloads
 * is for its owner to say.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SandboxUnavailable } from '../sandbox.ts';
import { asked, type Engine, engineMessage, statusOf } from './engine.ts';
import { type HostPython, hostPython } from './hostPython.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'sandbox');
const repository = 'turnwise-sandbox';
export const baseImage = 'python:3.12-slim';

/** `science` has numpy and sympy in it, and needs twice the memory. */
export type ImageVariant = 'slim' | 'science';

/** What a person may name: one of the two that turnwise makes, or a tag of their own. */
export async function ensureNamedImage(engine: Engine, name: string): Promise<string> {
  const isVariant = (given: string): given is ImageVariant => given in packagesOf;
  return isVariant(name) ? ensureImage(engine, undefined, name) : ensureImage(engine, name);
}

export const packagesOf: { readonly [Variant in ImageVariant]: readonly string[] } = { slim: [], science: ['numpy', 'sympy', 'mpmath'] }; // which sympy imports

/** Building and importing read and write a whole file system. */
const makeTimeoutMs = 15 * 60_000;

/** The tag to make boxes from. @throws SandboxUnavailable with the commands that bring one. */
export async function ensureImage(engine: Engine, configured?: string, variant: ImageVariant = 'slim'): Promise<string> {
  if (configured !== undefined && configured !== '') {
    if (await isPresent(engine, configured)) return configured;
    throw new SandboxUnavailable(
      `Docker: expected the image ${configured}, the daemon at ${engine.address} does not have it: \`docker pull ${configured}\` or \`docker load\` bring it`,
    );
  }
  const built = builtTag(variant);
  if (await isPresent(engine, built)) return built;
  if (await isPresent(engine, baseImage)) return build(engine, variant, built);
  const python = await hostPython(packagesOf[variant]);
  if ('reason' in python) throw new SandboxUnavailable(noImage(variant, python.reason));
  const imported = `${repository}:host-${variant}-${python.digest.slice(0, 12)}`;
  return (await isPresent(engine, imported)) ? imported : importHost(engine, python, imported);
}

export async function isPresent(engine: Engine, tag: string): Promise<boolean> {
  try {
    await asked(engine, `an answer about the image ${tag}`, () => engine.docker.getImage(tag).inspect());
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

/** The hash is of all that decides what is in it: the Dockerfile and the base's name. */
function builtTag(variant: ImageVariant): string {
  const content = createHash('sha256')
    .update(`${baseImage} ${variant}\n`)
    .update(readFileSync(join(folder, 'Dockerfile')));
  return `${repository}:${variant}-${content.digest('hex').slice(0, 12)}`;
}

async function build(engine: Engine, variant: ImageVariant, tag: string): Promise<string> {
  const options = { t: tag, target: variant, buildargs: { BASE: baseImage } };
  const context = { context: folder, src: ['Dockerfile'] };
  await made(engine, `the image ${tag} to be built`, async () => progressOf(engine, await engine.docker.buildImage(context, options)));
  return tag;
}

async function importHost(engine: Engine, python: HostPython, tag: string): Promise<string> {
  const [repo, name] = tag.split(':');
  await made(engine, `the image ${tag} to be imported`, async () => {
    const archive = python.archive();
    const response = await engine.docker.importImage(archive.stream, { repo, tag: name });
    await Promise.all([progressOf(engine, response as NodeJS.ReadableStream), archive.ended]);
  });
  return tag;
}

async function made(engine: Engine, what: string, make: () => Promise<void>): Promise<void> {
  try {
    await asked(engine, what, make, makeTimeoutMs);
  } catch (error) {
    if (error instanceof SandboxUnavailable) throw error;
    throw new SandboxUnavailable(`Docker: expected ${what}: ${engineMessage(error)}`, { cause: error });
  }
}

/** The daemon reports failure in the middle of a successful answer. */
function progressOf(engine: Engine, response: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    engine.docker.modem.followProgress(response, (error, events: readonly { readonly error?: string }[] | null) => {
      const failed = events?.find((event) => event.error !== undefined);
      if (error) reject(error);
      else if (failed !== undefined) reject(new Error(failed.error));
      else resolve();
    });
  });
}

function noImage(variant: ImageVariant, reason: string): string {
  return [
    `Docker: there is no image for boxes, and none can be made here: the base image ${baseImage} is missing, and ${reason}. One of these brings one:`,
    `  docker pull ${baseImage}                  # turnwise then builds sandbox/Dockerfile from it`,
    `  docker build -t my-sandbox --target ${variant} sandbox    # pulls the base; then set TURNWISE_SANDBOX_IMAGE=my-sandbox`,
    `  apt-get install ${['python3', ...packagesOf[variant].map((name) => `python3-${name}`)].join(' ')}    # turnwise then imports it, without a network`,
  ].join('\n');
}
