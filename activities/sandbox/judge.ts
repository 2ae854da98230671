/** @file Runs a program for a checker: a fresh process for every input, never the rollout's own box, with nothing in it that the program could learn the answer from. */
import type { ExecutionLimits, ExecutionResult } from '../../core/rollout/types.ts';
import type { SandboxBackend } from './sandbox.ts';

/** The verdict is the caller's, made from `stdout` outside the box. @throws SandboxBroken. */
export type JudgeProgram = (program: string, stdin: string, limits: ExecutionLimits, signal?: AbortSignal) => Promise<ExecutionResult>;

/** `backend` is made at the first program: most runs judge none. */
export function createJudge(backend: () => Promise<SandboxBackend>): JudgeProgram {
  let made: Promise<SandboxBackend> | undefined;
  return async (program, stdin, limits, signal = new AbortController().signal) => {
    made ??= backend();
    return (await made).run({ owner: 'judge', code: program, stdin, limits, signal });
  };
}
