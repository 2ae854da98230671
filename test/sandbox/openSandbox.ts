/** @file The backends that the tests of a file run against, and the way to a session in them. */
import { afterAll, beforeAll, describe } from 'vitest';
import { EmbeddedBackend } from '../../activities/sandbox/embedded/backend.ts';
import type { Sandbox, SandboxBackend } from '../../activities/sandbox/sandbox.ts';
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';
import { describeWithDocker, dockerBackend } from './dockerBackend.ts';

/** Wide enough for a busy machine; tests of the wall clock set their own. */
export const limits: ExecutionLimits = { wallMs: 20_000, memoryMiB: 96, outputBytes: 4000 };
export const never = new AbortController().signal;

export function useBackend(processes = 1): () => EmbeddedBackend {
  let backend: EmbeddedBackend | undefined;
  beforeAll(async () => {
    backend = new EmbeddedBackend({ processes });
    await backend.warm();
  });
  afterAll(async () => backend?.shutdown());
  return () => backend as EmbeddedBackend;
}

/** The same tests for the embedded backend and, where a daemon answers, for Docker: whoever uses a sandbox cannot tell them apart. */
export function onEachBackend(tests: (backend: () => SandboxBackend) => void): void {
  describe('embedded', () => tests(useBackend()));
  describeWithDocker('docker', () => tests(dockerBackend({ memoryMiB: limits.memoryMiB })));
}

export async function openSandbox(backend: SandboxBackend, setup = '', changed: Partial<ExecutionLimits> = {}): Promise<Sandbox> {
  return backend.open({ owner: 'test', setup, limits: { ...limits, ...changed }, signal: never });
}

/** The last cell's result in a session of its own. */
export async function runCells(backend: SandboxBackend, cells: readonly string[], changed: Partial<ExecutionLimits> = {}): Promise<ExecutionResult> {
  const sandbox = await openSandbox(backend, '', changed);
  try {
    let result: ExecutionResult | undefined;
    for (const cell of cells) result = await sandbox.execute(cell, never);
    return result as ExecutionResult;
  } finally {
    await sandbox.close();
  }
}

/** What does not depend on the machine's speed. */
export function repeatablePart({ durationMs: _duration, details: _details, ...rest }: ExecutionResult): Omit<ExecutionResult, 'durationMs' | 'details'> {
  return rest;
}
