/** @file Limits and results between the rest of turnwise and the protocol of a box. */
import type { ExecutionLimits, ExecutionResult } from '../../../core/rollout/types.ts';
import { SandboxBroken } from '../sandbox.ts';
import { boxLimits } from './containerOptions.ts';
import type { Execution, RunLimits } from './protocol.ts';
import { executionResultOf } from './result.ts';

const mebibyte = 1024 * 1024;

/** What code may print before it is stopped, beyond what is kept of it. */
const killBytes = 64 * mebibyte;

/** `factor` stretches time only. */
export function runLimitsOf({ wallMs, cpuMs = wallMs, memoryMiB, outputBytes }: ExecutionLimits, factor = 1): RunLimits {
  return {
    wallMs: wallMs * factor,
    cpuMs: cpuMs * factor,
    memoryBytes: memoryMiB * mebibyte,
    outputBytes,
    tailBytes: 0,
    killBytes,
    fileBytes: boxLimits.fileBytes,
    openFiles: boxLimits.openFiles,
  };
}

/** The memory of a box in which code has `memoryMiB`, which must hold the supervisor as well. */
export function boxMemoryBytes({ memoryMiB }: Pick<ExecutionLimits, 'memoryMiB'>): number {
  return memoryMiB * mebibyte;
}

/** @throws SandboxBroken for code that was cancelled by nobody: only a host cancels. */
export function detailedResult(
  execution: Execution,
  outputBytes: number,
  { queueMs, box }: { readonly queueMs: number; readonly box: string },
): ExecutionResult {
  const { status, state, timeoutOf, signal, report, cpuMs, cleanupMs, peakMemoryBytes, stdout, stderr, oomKills, strayProcesses } = execution;
  if (status === 'cancelled') throw new SandboxBroken(`box ${box.slice(0, 12)}: expected code to run, it was cancelled`);
  return {
    ...executionResultOf(execution, outputBytes),
    details: {
      status,
      state,
      ...(timeoutOf === undefined ? {} : { timeoutOf }),
      signal,
      reported: report !== undefined,
      queueMs,
      cpuMs,
      cleanupMs,
      peakMemoryBytes,
      stdoutBytes: stdout.byteLength,
      stderrBytes: stderr.byteLength,
      oomKills,
      strayProcesses,
      box: box.slice(0, 12),
    },
  };
}
