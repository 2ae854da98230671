/** @file The Docker backend of a worker, opened only where its limits were seen to hold: daemon, image, proof, then the pool. */
import { SandboxUnavailable } from '../sandbox.ts';
import { DockerBackend } from './backend.ts';
import type { UserMode } from './containerOptions.ts';
import { type Engine, engineOf, engineVersion } from './engine.ts';
import { ensureNamedImage } from './image.ts';
import { proveHere } from './proveHere.ts';

export interface DockerSettings {
  /** What the boxes are for: part of their labels. */
  readonly purpose: string;
  /** `slim` (default) or `science`, which turnwise makes, or a tag of the person's own. */
  readonly image?: string | undefined;
  readonly runtime?: string | undefined;
  readonly userMode?: UserMode | undefined;
  readonly reuse?: 'afterReset' | 'never';
  /** The limits of all boxes together. */
  readonly memoryBudgetBytes: number;
  /** Boxes kept ready. */
  readonly spare: { readonly count: number; readonly memoryMiB: number };
}

export interface OpenedDocker {
  readonly backend: DockerBackend;
  /** In words. */
  readonly description: string;
}

const mebibyte = 1024 * 1024;

/** @throws SandboxUnavailable with the remedy; SandboxBroken when a box failed. */
export async function openDocker(settings: DockerSettings, engine: Engine = engineOf()): Promise<OpenedDocker> {
  const { version } = await engineVersion(engine);
  const { image: imageName = 'slim' } = settings;
  const image = await ensureNamedImage(engine, imageName);
  const place = { ...settings, engine, image, imageName };
  const failed = (await proveHere(place)).filter(({ holds }) => !holds);
  if (failed.length > 0) {
    const list = failed.map(({ limit, found }) => `${limit} (${found})`).join('; ');
    throw new SandboxUnavailable(`Docker ${version} at ${engine.address} does not hold: ${list}: \`npm run doctor\` shows every limit and what to do`);
  }
  const budget = Math.floor(settings.memoryBudgetBytes / mebibyte);
  const description = `Docker sandbox: engine ${version} at ${engine.address}, image ${image}, ${budget} MiB for all boxes; every limit was tried and holds`;
  return { backend: new DockerBackend(place), description };
}
