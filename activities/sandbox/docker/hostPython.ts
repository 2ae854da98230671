/** @file This machine's Python as the content of an image: sandbox/host_image.py, run by the Python that is to be in it. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const script = join(import.meta.dirname, '..', '..', '..', 'sandbox', 'host_image.py');
/** The distribution's first: it stands on its own. The other may be a shim, which says where the real one is. */
const candidates = ['/usr/bin/python3', 'python3'];
const digestTimeoutMs = 120_000;

export interface HostPython {
  /** Of all files that the image would hold. */
  readonly digest: string;
  archive(): { readonly stream: Readable; readonly ended: Promise<void> };
}

/** The first Python here that has what a box needs, and the `packages`; or why there is none. */
export async function hostPython(packages: readonly string[]): Promise<HostPython | { readonly reason: string }> {
  const reasons: string[] = [];
  for (const python of candidates) {
    if (python.startsWith('/') && !existsSync(python)) continue;
    const answer = await digestOf(python, packages);
    if ('digest' in answer) return { digest: answer.digest, archive: () => archiveOf(python, packages) };
    reasons.push(answer.reason);
  }
  return { reason: reasons.join('; ') || 'there is no python3 on this machine' };
}

/** `-I`: nothing of the caller's environment or directory gets into the image. */
function parametersOf(act: '--digest' | '--archive', packages: readonly string[]): string[] {
  return ['-I', script, act, ...packages];
}

function digestOf(python: string, packages: readonly string[]): Promise<{ digest: string } | { reason: string }> {
  return new Promise((resolve) => {
    execFile(python, parametersOf('--digest', packages), { timeout: digestTimeoutMs }, (error, stdout, stderr) => {
      const digest = stdout.trim();
      if (error === null && /^[0-9a-f]{64}$/.test(digest)) resolve({ digest });
      else
        resolve({ reason: lastLine(stderr) || (error?.code === 'ENOENT' ? 'there is no python3 on the PATH' : `${python}: ${error?.message ?? 'no digest'}`) });
    });
  });
}

function archiveOf(python: string, packages: readonly string[]): { stream: Readable; ended: Promise<void> } {
  const child = spawn(python, parametersOf('--archive', packages), { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-2000);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${python} could not make the archive: ${lastLine(stderr)}`))));
  });
  return { stream: child.stdout, ended };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
