/** @file The sandbox as the doctor sees it: one line for the backend, and for Docker one for every limit, tried on a live box. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { findSandbox, type Proof } from '../../workers/sandboxProof.ts';
import type { Check } from './machine.ts';

const name = 'sandbox';

export async function sandboxChecks(): Promise<Check[]> {
  try {
    const finding = await findSandbox();
    if (finding.kind === 'embedded') return [embeddedCheck(finding)];
    const { version, address, image, proofs } = finding;
    const found = `Docker ${version} at ${address}, image ${image}`;
    const unproven = proofs.filter(({ holds }) => !holds);
    const remedy = 'untrusted code is refused: with TURNWISE_SANDBOX=auto the embedded sandbox takes its place, which is for policies that you trust';
    const check: Check =
      unproven.length === 0 ? { name, state: 'ok', found } : { name, state: 'failed', found: `${found}: ${unproven.length} limits do not hold`, remedy };
    return [check, ...proofs.map(limitCheck)];
  } catch (error) {
    return [
      {
        name,
        state: 'failed',
        found: (error as Error).message,
        remedy: 'do what the message says, or set TURNWISE_SANDBOX=embedded for policies that you trust',
      },
    ];
  }
}

function embeddedCheck({ wanted, why }: { readonly wanted: boolean; readonly why: string }): Check {
  if (!existsSync(createRequire(import.meta.url).resolve('pyodide/package.json')))
    return { name, state: 'failed', found: 'the embedded sandbox needs the package pyodide, which is missing', remedy: '`npm ci`' };
  const found = 'embedded (CPython as WebAssembly in its own process): no boundary against hostile code';
  return wanted ? { name, state: 'ok', found } : { name, state: 'warning', found, remedy: `for policies that you do not trust: ${why}` };
}

/** Where a limit usually comes from, and so where it is usually missing. */
const remedies: { readonly [Limit in Proof['limit']]?: string } = {
  memory:
    'the kernel or the daemon ignores memory limits: boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1) or, rootless, delegate the controllers memory, pids and cpu to your user',
  processes: 'the pids controller is missing or not delegated: see `docker info` for warnings; rootless Docker needs cgroup v2 with systemd',
  processor: 'the cpu controller is missing or not delegated: see `docker info` for warnings; rootless Docker needs cgroup v2 with systemd',
  network: 'the box has a way out: look for a daemon or runtime that ignores network mode none',
  filters: 'the kernel lacks seccomp filters, or the daemon runs without them: `docker info` names its security options',
};

function limitCheck({ limit, holds, found }: Proof): Check {
  const check = { name: `  ${limit}`, found };
  if (holds) return { ...check, state: 'ok' };
  return {
    ...check,
    state: 'failed',
    remedy: remedies[limit] ?? 'the daemon accepted this limit and does not enforce it: look at `docker info`, its version and its runtime',
  };
}
