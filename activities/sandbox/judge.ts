/** @file Runs a program for a checker: a fresh session for every input, never the rollout's own, with nothing in it that the program could learn the answer from. */
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';
import type { SandboxBackend } from './sandbox.ts';

/** The verdict is the caller's, made from `stdout` outside the box. @throws SandboxBroken. */
export type JudgeProgram = (program: string, stdin: string, limits: ExecutionLimits, signal?: AbortSignal) => Promise<ExecutionResult>;

/** `backend` is made at the first program: most runs judge none. */
export function createJudge(backend: () => SandboxBackend): JudgeProgram {
  let made: SandboxBackend | undefined;
  return async (program, stdin, limits, signal = new AbortController().signal) => {
    made ??= backend();
    const sandbox = await made.open({ owner: 'judge', setup: '', limits, signal });
    try {
      return await sandbox.execute(program, signal, stdin);
    } finally {
      await sandbox.close();
    }
  };
}
