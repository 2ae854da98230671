/** @file The proof of every limit, on a box made for it and ended afterwards. */
import { boxLimits } from './containerOptions.ts';
import { type BoxPlace, makeBox } from './makeBox.ts';
import { type Proof, proveLimits } from './proof.ts';

/** Small, so that it is filled quickly. */
const memoryBytes = 96 * 1024 * 1024;

/** @throws SandboxBroken, SandboxUnavailable when no box can be had. */
export async function proveHere(place: BoxPlace, signal: AbortSignal = AbortSignal.timeout(120_000)): Promise<Proof[]> {
  const box = await makeBox(place, memoryBytes, () => undefined);
  try {
    const limits = { ...boxLimits, memoryBytes, cpus: place.cpus ?? boxLimits.cpus };
    return await proveLimits(box, { limits, userMode: place.userMode ?? 'separate' }, signal);
  } finally {
    await box.destroy().catch(() => undefined); // its stream is closed: it ends by itself
  }
}
