/** @file What the policy sees of an execution in a box: the same as from the embedded backend, for the same cell. */
import type { ExecutionResult } from '../../../core/rollout/types.ts';
import type { Captured, Execution } from './protocol.ts';

/** The beginning and, where one was kept, the end of a stream, with what is missing between them named. */
export function textOf({ head, tail, byteLength, truncated }: Captured): string {
  if (!truncated || tail === '') return head + tail;
  const kept = Buffer.byteLength(head) + Buffer.byteLength(tail);
  return `${head}\n… ${Math.max(0, byteLength - kept)} bytes left out …\n${tail}`;
}

/** `cancelled` is no result: the caller throws its signal's reason instead. `outputBytes` bounds stderr with its traceback. */
export function executionResultOf(execution: Execution, outputBytes: number): ExecutionResult {
  const { status, report, wallMs } = execution;
  const durationMs = Math.round(wallMs * 10) / 10;
  const killed = { exitCode: null, stdout: '', stderr: '', timedOut: false, outOfMemory: false, truncated: false, durationMs };
  // How far a stopped cell came depends on the machine, so its output is not shown: the same rollout must read the same everywhere.
  if (status === 'timeout') return { ...killed, errorType: 'TimeoutError', timedOut: true };
  if (status === 'oom') return { ...killed, stderr: 'the memory limit was reached\n', errorType: 'MemoryError', outOfMemory: true };
  if (status === 'outputLimit') return { ...killed, stderr: 'the output limit was reached\n', errorType: 'OSError', truncated: true };
  const stdout = textOf(execution.stdout);
  const truncated = execution.stdout.truncated || execution.stderr.truncated || report?.cut === true;
  if (report === undefined || execution.state === 'lost') return { ...killed, stdout, truncated, ...died(execution) };
  const stderr = cut(textOf(execution.stderr) + (report.traceback ?? ''), outputBytes);
  return {
    ...killed,
    exitCode: report.exitCode,
    stdout,
    stderr: stderr.text,
    ...(report.value === undefined ? {} : { value: report.value }),
    ...(report.errorType === undefined ? {} : { errorType: report.errorType }),
    truncated: truncated || stderr.truncated,
  };
}

function died({ status, exitCode, signal }: Execution): { stderr: string; errorType: string } {
  if (status === 'exit') return { stderr: `the cell ended its process with code ${exitCode}\n`, errorType: 'SystemExit' };
  return { stderr: `the cell ended its process${signal === null ? '' : ` by ${signal}`}\n`, errorType: 'SystemError' };
}

/** A character that the limit cuts in two is dropped. */
function cut(text: string, byteLimit: number): { text: string; truncated: boolean } {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength <= byteLimit) return { text, truncated: false };
  return { text: new TextDecoder('utf-8').decode(bytes.subarray(0, byteLimit), { stream: true }), truncated: true };
}
