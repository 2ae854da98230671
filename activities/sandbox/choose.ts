/** @file Which sandbox backend a worker uses. */
import { availableParallelism } from 'node:os';
import { EmbeddedBackend } from './embedded/backend.ts';
import type { SandboxBackend } from './sandbox.ts';

export type BackendChoice = 'auto' | 'embedded' | 'docker';

/** The choice in words, for the log, and the backend. @throws Error when the choice asks for what this release does not have. */
export function chooseBackend(choice: BackendChoice): { readonly backend: SandboxBackend; readonly description: string } {
  if (choice === 'docker')
    throw new Error('TURNWISE_SANDBOX: docker comes with another release; set embedded (CPython as WebAssembly, for policies that you trust), or unset it');
  const processes = defaultProcesses();
  const description = `embedded sandbox: CPython as WebAssembly in ${processes} processes; no boundary against hostile code`;
  return { backend: new EmbeddedBackend({ processes }), description };
}

/** Two at least, so that one that is being replaced does not stop every rollout; no more than half the cores, which sampling needs. */
function defaultProcesses(): number {
  return Math.max(2, Math.min(8, Math.floor(availableParallelism() / 2)));
}
