/** @file Judging a program by its cases: each input on stdin of a fresh process, the output compared here, so that no expected output ever reaches the box. */
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';
import { SandboxForged } from '../sandbox/sandbox.ts';
import { sameJson } from './strictJson.ts';

/** Runs a program once. @throws SandboxBroken when the box failed, not the program. */
export type CodeJudge = (program: string, stdin: string, limits: ExecutionLimits, signal: AbortSignal) => Promise<ExecutionResult>;

export interface CodeCase {
  readonly stdin: string;
  readonly stdout: string;
}

export interface JudgedCases {
  readonly cases: readonly CodeCase[];
  /** The function that the program has to define: stdin is then a JSON list of its arguments, stdout the JSON of what it returns. */
  readonly entry?: string;
}

/** Endings by which programs elsewhere have been taken for right. Here they earn nothing; counted, they show that a policy has begun to try. */
export const suspicions = ['hardExit', 'silentExit', 'strayProcesses', 'forgedFrame'] as const;
export type Suspicion = (typeof suspicions)[number];

export interface Verdict {
  readonly passed: boolean;
  readonly suspicions: readonly Suspicion[];
}

/** Stops at the first case whose output does not fit. */
export async function judgeProgram(
  answer: string,
  { cases, entry }: JudgedCases,
  judge: CodeJudge,
  limits: ExecutionLimits,
  signal: AbortSignal,
): Promise<Verdict> {
  const program = entry === undefined ? withoutFence(answer) : calling(withoutFence(answer), entry);
  const seen = new Set<Suspicion>();
  const verdict = (passed: boolean): Verdict => ({ passed, suspicions: [...seen] });
  for (const expected of cases) {
    const execution = await judgedOnce(judge(program, expected.stdin, limits, signal));
    if (execution === 'forged') {
      seen.add('forgedFrame');
      return verdict(false);
    }
    for (const suspicion of suspicionsOf(execution, expected)) seen.add(suspicion);
    if (!endedWell(execution) || !fits(execution.stdout, expected.stdout, entry)) return verdict(false);
  }
  return verdict(cases.length > 0);
}

export async function programPasses(
  answer: string,
  cases: readonly CodeCase[],
  judge: CodeJudge,
  limits: ExecutionLimits,
  signal: AbortSignal,
): Promise<boolean> {
  return (await judgeProgram(answer, { cases }, judge, limits, signal)).passed;
}

/** A box that speaks in its supervisor's name is the program's doing, and no reason to ask again. */
async function judgedOnce(run: Promise<ExecutionResult>): Promise<ExecutionResult | 'forged'> {
  try {
    return await run;
  } catch (error) {
    if (error instanceof SandboxForged) return 'forged';
    throw error;
  }
}

function suspicionsOf({ exitCode, stdout, errorType, details }: ExecutionResult, expected: CodeCase): Suspicion[] {
  const found: Suspicion[] = [];
  if (exitCode === null && errorType === 'SystemExit') found.push('hardExit');
  if (exitCode === 0 && stdout.trim() === '' && expected.stdout.trim() !== '') found.push('silentExit');
  if ((details?.strayProcesses ?? 0) > 0) found.push('strayProcesses');
  return found;
}

/** `sys.exit()` is an ordinary way to end a program. */
function endedWell({ exitCode, errorType, timedOut, outOfMemory, truncated }: ExecutionResult): boolean {
  return !timedOut && !outOfMemory && !truncated && exitCode !== null && (exitCode === 0 || errorType === 'SystemExit');
}

function fits(given: string, expected: string, entry: string | undefined): boolean {
  return entry === undefined ? sameOutput(given, expected) : sameJson(lastLine(given), expected);
}

/** What a function prints on its way is its own affair; its result comes last. */
function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}

/** The call and the printing run in the program's own process and may be tampered with there, but nothing in it knows what is expected. */
function calling(program: string, entry: string): string {
  return `${program}\n\nimport json as _json, sys as _sys\nprint('\\n' + _json.dumps(${entry}(*_json.load(_sys.stdin)), allow_nan=False))\n`;
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
