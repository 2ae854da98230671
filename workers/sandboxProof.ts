/** @file What `npm run doctor` asks about the sandbox: whether Docker can be used here, and the proof of each limit on a live box. */
import { engineOf, engineVersion } from '../activities/sandbox/docker/engine.ts';
import { ensureImage } from '../activities/sandbox/docker/image.ts';
import type { Proof } from '../activities/sandbox/docker/proof.ts';
import { proveHere } from '../activities/sandbox/docker/proveHere.ts';
import { backendRequest } from './config/sandboxBackend.ts';

export type { Proof };

export type SandboxFinding =
  | { readonly kind: 'embedded'; readonly wanted: boolean; readonly why: string }
  | { readonly kind: 'docker'; readonly version: string; readonly address: string; readonly image: string; readonly proofs: readonly Proof[] };

/** `wanted`: the embedded sandbox was asked for by name. @throws Error when Docker was asked for by name and cannot be used. */
export async function findSandbox(): Promise<SandboxFinding> {
  const { choice, docker } = backendRequest('command', 0);
  if (choice === 'embedded') return { kind: 'embedded', wanted: true, why: 'TURNWISE_SANDBOX=embedded' };
  try {
    const engine = engineOf();
    const { version } = await engineVersion(engine);
    const image = await ensureImage(engine, docker.image);
    const proofs = await proveHere({ ...docker, engine, image, purpose: 'doctor' });
    return { kind: 'docker', version, address: engine.address, image, proofs };
  } catch (error) {
    if (choice === 'docker') throw error;
    return { kind: 'embedded', wanted: false, why: (error as Error).message };
  }
}
