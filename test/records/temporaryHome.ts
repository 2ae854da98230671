/** @file A home directory with an artifact store, removed when the tests of the file are done. */
import { artifactRoot } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

export async function temporaryHome(): Promise<{ readonly home: string; readonly store: ArtifactStore }> {
  const home = await temporaryDirectory('records');
  return { home, store: new ArtifactStore(artifactRoot(home)) };
}
