/** @file Docker for tests: skipped with the reason where no daemon answers, a backend of a file's own where one does. */
import { afterAll, beforeAll, describe } from 'vitest';
import { DockerBackend, type DockerOptions } from '../../activities/sandbox/docker/backend.ts';
import { engineOf, engineVersion } from '../../activities/sandbox/docker/engine.ts';
import { ensureImage } from '../../activities/sandbox/docker/image.ts';

export const engine = engineOf();

/** Undefined where a daemon answers. */
export const noDocker: string | undefined = await engineVersion(engine).then(
  () => undefined,
  (error: Error) => error.message,
);

/** The reason is in the name, where the tally of skips finds it. */
export function describeWithDocker(name: string, tests: () => void): void {
  describe.skipIf(noDocker !== undefined)(noDocker === undefined ? name : `${name} (skipped: ${noDocker})`, { timeout: 120_000 }, tests);
}

export type TestedOptions = Partial<Omit<DockerOptions, 'engine' | 'image' | 'spare'>> & { readonly memoryMiB?: number; readonly spare?: number };

export async function createDockerBackend({ memoryMiB = 96, spare = 0, ...changed }: TestedOptions = {}): Promise<DockerBackend> {
  const image = await ensureImage(engine);
  return new DockerBackend({ engine, image, purpose: 'test', memoryBudgetBytes: 2 ** 31, spare: { count: spare, memoryMiB }, ...changed });
}

export function dockerBackend(options: TestedOptions = {}): () => DockerBackend {
  let backend: DockerBackend | undefined;
  beforeAll(async () => {
    backend = await createDockerBackend(options);
    await backend.warm();
  }, 120_000);
  afterAll(async () => backend?.shutdown());
  return () => backend as DockerBackend;
}
