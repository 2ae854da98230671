/** @file What of a repository on the hub is needed to use its model, and what each file must be. */
import { listFiles, modelInfo } from '@huggingface/hub';
import { type HubName, hubNameText, isPinned } from '../../../core/model/hubName.ts';
import { baseModelFileName } from '../baseModel.ts';
import { carriedFileNames } from '../policyFiles.ts';
import { HubRefusal, hubError } from './hubErrors.ts';
import { hubFetch } from './hubFetch.ts';
import { hubEndpoint } from './hubSettings.ts';

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** sha256 of files in large storage, else git's sha1 of the blob: the name of the blob in the cache. */
  readonly oid: string;
  readonly hash: 'sha256' | 'git';
}

/** base_model.json names a place on the machine that trained; published adapters name their base in adapter_config.json. */
const smallFiles = new Set<string>(carriedFileNames.filter((name) => name !== baseModelFileName));
const weights = /^(?:model(?:-\d{5}-of-\d{5})?|adapter_model)\.safetensors$/;
const index = 'model.safetensors.index.json';

/** The same model by its commit. */
export async function pinned(name: HubName): Promise<HubName> {
  if (isPinned(name)) return name;
  const { sha } = await modelInfo({ hubUrl: hubEndpoint(), fetch: hubFetch, name: name.repo, revision: name.revision, additionalFields: ['sha'] }).catch(
    (error: unknown) => {
      throw hubError(error, name);
    },
  );
  const commit = { ...name, revision: String(sha) };
  if (isPinned(commit)) return commit;
  throw new HubRefusal(`${hubNameText(name)}: expected the hub to name a commit of 40 hexadecimal digits, got ${JSON.stringify(sha)}`);
}

/** Small files first: what is wrong with a model shows before its weights are fetched. @throws HubRefusal, HubUnreachable */
export async function neededFiles(name: HubName): Promise<readonly HubFile[]> {
  const found: HubFile[] = [];
  const all: string[] = [];
  try {
    for await (const { type, path, size, oid, lfs } of listFiles({ hubUrl: hubEndpoint(), fetch: hubFetch, repo: name.repo, revision: name.revision })) {
      all.push(path);
      if (type !== 'file' || !(smallFiles.has(path) || path === index || weights.test(path))) continue;
      if (lfs !== undefined) found.push({ path, size: lfs.size, oid: checkedOid(lfs.oid.replace(/^sha256:/, ''), 64, path), hash: 'sha256' });
      else found.push({ path, size, oid: checkedOid(oid, 40, path), hash: 'git' });
    }
  } catch (error) {
    throw hubError(error, name);
  }
  if (!found.some(({ path }) => weights.test(path))) {
    const others = all.filter((path) => /\.(bin|pth?|gguf|safetensors|onnx)$/.test(path)).slice(0, 4);
    const has = others.length > 0 ? others.join(', ') : `${all.slice(0, 4).join(', ') || 'no files'}`;
    throw new HubRefusal(`${hubNameText(name)}: expected model.safetensors or its shards, found ${has}; choose a revision or a copy with safetensors`);
  }
  return found.toSorted((a, b) => Number(weights.test(a.path)) - Number(weights.test(b.path)) || (a.path < b.path ? -1 : 1));
}

/** It becomes a file name. */
function checkedOid(oid: string | undefined, digits: number, path: string): string {
  if (oid !== undefined && new RegExp(`^[0-9a-f]{${digits}}$`).test(oid)) return oid;
  throw new HubRefusal(`hub, ${path}: expected a hash of ${digits} hexadecimal digits, got ${JSON.stringify(oid)}`);
}
