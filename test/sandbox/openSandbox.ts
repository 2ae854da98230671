/** @file One embedded backend for the tests of a file, and the way to a session in it. */
import { afterAll, beforeAll } from 'vitest';
import { EmbeddedBackend } from '../../activities/sandbox/embedded/backend.ts';
import type { Sandbox } from '../../activities/sandbox/sandbox.ts';
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';

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

export async function openSandbox(backend: EmbeddedBackend, setup = '', changed: Partial<ExecutionLimits> = {}): Promise<Sandbox> {
  return backend.open({ owner: 'test', setup, limits: { ...limits, ...changed }, signal: never });
}

/** The last cell's result in a session of its own. */
export async function runCells(backend: EmbeddedBackend, cells: readonly string[], changed: Partial<ExecutionLimits> = {}): Promise<ExecutionResult> {
  const sandbox = await openSandbox(backend, '', changed);
  try {
    let result: ExecutionResult | undefined;
    for (const cell of cells) result = await sandbox.execute(cell, never);
    return result as ExecutionResult;
  } finally {
    await sandbox.close();
  }
}
