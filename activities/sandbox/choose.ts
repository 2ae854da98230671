/** @file Which sandbox a worker uses: Docker where a daemon answers and its limits hold, else the embedded one, and either is named. */
import { availableParallelism } from 'node:os';
import { type DockerSettings, openDocker } from './docker/open.ts';
import { EmbeddedBackend } from './embedded/backend.ts';
import { type SandboxBackend, SandboxBroken, SandboxUnavailable } from './sandbox.ts';

export type BackendChoice = 'auto' | 'embedded' | 'docker';

export interface BackendRequest {
  readonly choice: BackendChoice;
  readonly docker: DockerSettings;
}

export interface ChosenBackend {
  readonly backend: SandboxBackend;
  /** In words, for the log and the terminal. */
  readonly description: string;
}

/** @throws SandboxUnavailable when Docker was asked for by name and cannot be used, with what to do. */
export async function chooseBackend(request: BackendRequest): Promise<ChosenBackend> {
  if (request.choice === 'embedded') return embedded();
  try {
    return await openDocker(request.docker);
  } catch (error) {
    if (!(error instanceof SandboxUnavailable || error instanceof SandboxBroken)) throw error;
    if (request.choice === 'docker') throw new SandboxUnavailable(error.message, { cause: error });
    return embedded(`; Docker is not used: ${error.message}`);
  }
}

function embedded(why = ''): ChosenBackend {
  const description = `embedded sandbox: CPython as WebAssembly in ${defaultProcesses()} processes; no boundary against hostile code${why}`;
  return { backend: embeddedBackend(), description };
}

/** Starts its processes when they are needed. */
export function embeddedBackend(): SandboxBackend {
  return new EmbeddedBackend({ processes: defaultProcesses() });
}

/** Two at least, so that one that is being replaced does not stop every rollout; no more than half the cores, which sampling needs. */
function defaultProcesses(): number {
  return Math.max(2, Math.min(8, Math.floor(availableParallelism() / 2)));
}
