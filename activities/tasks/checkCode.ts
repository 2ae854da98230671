/** @file Judging a program by its cases: each input on stdin of a fresh sandbox, the output compared here, so that no expected output ever reaches the box. */
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';

/** Runs a program once. @throws SandboxBroken when the box failed, not the program. */
export type CodeJudge = (program: string, stdin: string, limits: ExecutionLimits, signal: AbortSignal) => Promise<ExecutionResult>;

export interface CodeCase {
  readonly stdin: string;
  readonly stdout: string;
}

/** True when every case's output fits; stops at the first that does not. */
export async function programPasses(
  answer: string,
  cases: readonly CodeCase[],
  judge: CodeJudge,
  limits: ExecutionLimits,
  signal: AbortSignal,
): Promise<boolean> {
  const program = withoutFence(answer);
  for (const { stdin, stdout } of cases) {
    const execution = await judge(program, stdin, limits, signal);
    if (!endedWell(execution) || !sameOutput(execution.stdout, stdout)) return false;
  }
  return cases.length > 0;
}

/** `sys.exit()` is an ordinary way to end a program. */
function endedWell({ exitCode, errorType, timedOut, outOfMemory, truncated }: ExecutionResult): boolean {
  return !timedOut && !outOfMemory && !truncated && (exitCode === 0 || errorType === 'SystemExit');
}

/** Spaces at line ends and empty lines at the end do not count, as in programming contests. */
export function sameOutput(given: string, expected: string): boolean {
  return normalised(given) === normalised(expected);
}

function normalised(output: string): string {
  return output
    .replace(/\r\n/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .trimEnd();
}

/** The program inside a ```python block, where the answer has one. */
export function withoutFence(answer: string): string {
  return /^\s*```(?:python3?|py)?[ \t]*\n(.*?)\n?[ \t]*```\s*$/s.exec(answer)?.[1] ?? answer;
}
