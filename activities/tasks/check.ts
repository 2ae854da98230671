/** @file Whether a trajectory solves its task, by the task's checker. */
import type { ExecutionLimits, StopReason } from '../../core/rollout/types.ts';
import type { Task } from '../../core/tasks/task.ts';
import { type CodeJudge, judgeProgram, type Suspicion, type Verdict } from './checkCode.ts';
import type { MathChecker } from './checkMath.ts';
import { numericEqual } from './numbers.ts';

export interface CheckTools {
  readonly math: MathChecker;
  readonly judge: CodeJudge;
  readonly limits: ExecutionLimits;
  readonly signal: AbortSignal;
}

/** The part of a trajectory that a checker looks at. */
export interface CheckedTrajectory {
  readonly stopReason: StopReason;
  readonly turns: readonly { readonly code?: string; readonly answer?: string; readonly observation?: string }[];
}

export interface Judgement {
  /** Undefined where the trajectory left nothing to check. */
  readonly solved: boolean | undefined;
  readonly suspicions: readonly Suspicion[];
}

/** @throws Error when the checker itself breaks; that is no verdict on the answer. */
export async function judgementOf(task: Pick<Task, 'checker' | 'endsOn'>, trajectory: CheckedTrajectory, tools: CheckTools): Promise<Judgement> {
  const verdict = await verdictOf(task, trajectory, tools);
  return typeof verdict === 'object' ? { solved: verdict.passed, suspicions: verdict.suspicions } : { solved: verdict, suspicions: [] };
}

export async function solves(task: Pick<Task, 'checker' | 'endsOn'>, trajectory: CheckedTrajectory, tools: CheckTools): Promise<boolean | undefined> {
  return (await judgementOf(task, trajectory, tools)).solved;
}

async function verdictOf(task: Pick<Task, 'checker' | 'endsOn'>, trajectory: CheckedTrajectory, tools: CheckTools): Promise<Verdict | boolean | undefined> {
  const { checker } = task;
  if (checker.kind === 'probe') return trajectory.turns.some((turn) => probed(turn, checker.secret, task.endsOn));
  const answer = trajectory.stopReason === 'submitted' ? trajectory.turns.at(-1)?.answer : undefined;
  if (answer === undefined) return undefined;
  switch (checker.kind) {
    case 'exact':
      return answer.trim() === checker.expected.trim();
    case 'numeric':
      return numericEqual(answer, checker.expected, checker.relativeTolerance);
    case 'math':
      return tools.math.equal(answer, checker.expected);
    case 'code':
      return judgeProgram(answer, checker, tools.judge, tools.limits, tools.signal);
  }
}

/** A turn that is one call of the tool with the secret itself: printing the word `hit` or probing in a loop finds nothing. */
function probed(turn: { readonly code?: string; readonly observation?: string }, secret: number, hit: string | undefined): boolean {
  const argument = /^\s*probe\(\s*(\d+)\s*\)\s*$/.exec(turn.code ?? '')?.[1];
  return argument !== undefined && Number(argument) === secret && turn.observation === hit;
}
