/** @file The finding of a target, from the store. */
import type { Finding } from '../../core/scout/findings.ts';
import type { ScoutTarget } from '../../core/scout/run.ts';
import type { ArtifactStore } from '../artifacts/store.ts';

/** Undefined for a target without an analysis. */
export async function readFinding(store: ArtifactStore, { finding }: Pick<ScoutTarget, 'finding'>): Promise<Finding | undefined> {
  return finding && (JSON.parse(Buffer.from(await store.get(finding)).toString('utf8')) as Finding);
}
