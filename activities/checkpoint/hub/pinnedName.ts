/** @file A revision's commit: as the hub says now, or, without a network, as the cache remembers it. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type HubName, isPinned } from '../../../core/model/hubName.ts';
import { writeFileAtomic } from '../../artifacts/atomicWrite.ts';
import { HubUnreachable } from './hubErrors.ts';
import { pinned } from './hubListing.ts';
import { isOffline, repositoryFolder } from './hubSettings.ts';

/** @throws HubRefusal, HubUnreachable */
export async function pinnedName(name: HubName): Promise<HubName> {
  if (isPinned(name)) return name;
  const ref = join(repositoryFolder(name), 'refs', name.revision);
  const remembered = async () => ({ ...name, revision: (await readFile(ref, 'utf8').catch(() => '')).trim() });
  if (isOffline()) return offline(name, await remembered());
  try {
    const found = await pinned(name);
    await mkdir(dirname(ref), { recursive: true });
    await writeFileAtomic(ref, found.revision);
    return found;
  } catch (error) {
    const known = await remembered();
    if (error instanceof HubUnreachable && isPinned(known)) return known;
    throw error;
  }
}

function offline(name: HubName, known: HubName): HubName {
  if (isPinned(known)) return known;
  throw new HubUnreachable(`hub:${name.repo}: expected its revision ${name.revision} in the cache, since HF_HUB_OFFLINE is set; unset it, or name a directory`);
}
