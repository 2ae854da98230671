/** @file The environment variables of Hugging Face's own tools: where the hub is, where its cache lies, who asks. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { HubName } from '../../../core/model/hubName.ts';

export function hubEndpoint(): string {
  return (process.env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
}

/** HF_TOKEN, else what `hf auth login` has stored. */
export function hubToken(): string | undefined {
  const given = process.env['HF_TOKEN']?.trim();
  if (given) return given;
  try {
    return readFileSync(process.env['HF_TOKEN_PATH'] ?? join(hubHome(), 'token'), 'utf8').trim() || undefined;
  } catch {
    return undefined; // nobody has logged in
  }
}

export function isOffline(): boolean {
  return /^(1|true|yes|on)$/i.test(process.env['HF_HUB_OFFLINE'] ?? '');
}

/** Where a repository lies in the cache: blobs by their hash, snapshots by their commit, refs by the names of commits. */
export function repositoryFolder({ repo }: HubName): string {
  return join(process.env['HF_HUB_CACHE'] ?? join(hubHome(), 'hub'), `models--${repo.replaceAll('/', '--')}`);
}

function hubHome(): string {
  return process.env['HF_HOME'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'huggingface');
}
