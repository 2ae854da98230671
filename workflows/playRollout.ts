/**
 * @file Plays one trajectory: generate → execute → observation, turn by turn, until a stop reason. Used by `group`, `rollout` and `evaluate`.
 * Never throws for what happens to the rollout: a failure for good is a stop reason of this trajectory alone.
 */
import { isCancellation, TemporalFailure } from '@temporalio/workflow';
import { formatViolation } from '../core/rollout/formatViolation.ts';
import { observationOfMalformed } from '../core/rollout/observation.ts';
import { samplingSeed } from '../core/rollout/seeds.ts';
import { stopReasonAfter } from '../core/rollout/stopReasons.ts';
import type {
  ExecuteResult,
  GenerateResult,
  PlayedRollout,
  PlayedTurn,
  PolicyRef,
  QuantisedWeights,
  StopReason,
  TaskCard,
  Text,
} from '../core/rollout/types.ts';
import type { RolloutConfig } from '../core/run/types.ts';
import { policy as policyWorker } from './activities.ts';
import type { Deadline } from './deadline.ts';
import { isBadCheckpoint, reasonOf } from './failures.ts';
import { RolloutSandbox, type SandboxReturns } from './sandboxes.ts';

export interface RolloutPlan {
  readonly run: string;
  readonly step: number;
  readonly task: TaskCard;
  readonly sibling: number;
  readonly policy: PolicyRef;
  readonly config: RolloutConfig;
  /** Short name in activity summaries: `r5`, or `t12 r0` where several tasks share a workflow. */
  readonly name: string;
  /** Owner of the sandbox: `<workflow id>/r5`. */
  readonly owner: string;
  readonly deadline: Deadline;
  readonly sandboxes: SandboxReturns;
  /** Called after every turn, for the table in the workflow's current details. */
  readonly onTurn?: (turn: number) => void;
}

interface Play extends RolloutPlan {
  /** Absent: as they are trained. */
  readonly weights: QuantisedWeights | undefined;
}

/** What may be trained on: whatever the plan says, with the weights that are trained. */
export function playRollout(plan: RolloutPlan): Promise<PlayedRollout> {
  return play({ ...plan, weights: undefined });
}

export function playForEvaluation(plan: RolloutPlan, weights: QuantisedWeights | undefined): Promise<PlayedRollout> {
  return play({ ...plan, weights });
}

async function play(plan: Play): Promise<PlayedRollout> {
  const turns: PlayedTurn[] = [];
  const sandbox = new RolloutSandbox(plan.sandboxes);
  const played = (stopReason: StopReason, failure?: string): PlayedRollout => ({
    sibling: plan.sibling,
    task: plan.task.ref,
    seed: seedOfTurn(plan, 0),
    stopReason,
    turns,
    ...(failure === undefined ? {} : { failure }),
  });
  try {
    return played(await playTurns(plan, turns, sandbox));
  } catch (error) {
    if (error instanceof FailedForGood) {
      const failed = played(error.stopReason, error.message);
      return isBadCheckpoint(error.cause) ? { ...failed, checkpointRefused: true } : failed;
    }
    if (!isCancellation(error)) throw error;
    return plan.deadline.passed ? played('timeout') : played('cancelled', 'the rollout was cancelled');
  } finally {
    sandbox.giveBack();
  }
}

/** Fills `turns` as they finish, so that a failure leaves what was played before it. */
async function playTurns(plan: Play, turns: PlayedTurn[], sandbox: RolloutSandbox): Promise<StopReason> {
  for (let turn = 0; ; turn++) {
    const generated = await generate(plan, turns);
    // The prompt alone fills the context: no turn was played, so there is nothing to learn from.
    if (turn === 0 && generated.sampledTokens === 0) return 'contextLength';
    turns.push(playedTurn(plan, turn, generated));
    plan.onTurn?.(turn);
    const execution = await executed(plan, turn, generated, sandbox);
    const finished = playedTurn(plan, turn, generated, execution);
    turns[turn] = finished;
    const stopReason = stopReasonAfter(
      {
        turn,
        actionKind: generated.action.kind,
        finishReason: generated.finishReason,
        contextTokens: generated.contextTokens,
        ended: execution?.ended ?? false,
      },
      plan.task,
    );
    if (stopReason !== undefined) return stopReason;
  }
}

async function generate(plan: Play, turns: readonly PlayedTurn[]): Promise<GenerateResult> {
  const turn = turns.length;
  const { temperature, topK, topP, maxTokensPerTurn } = plan.config;
  const observation = turns.at(-1)?.observation;
  const input = {
    run: plan.run,
    policy: plan.policy,
    task: plan.task.ref,
    sibling: plan.sibling,
    turn,
    seed: seedOfTurn(plan, turn),
    segments: turns.map(({ segment }) => segment),
    ...(observation === undefined ? {} : { observation }),
    sampling: { temperature, topK, topP, maxTokensPerTurn },
    tokenBudget: plan.task.tokenBudget,
  };
  const { weights } = plan;
  const options = { summary: `${plan.name} turn ${turn} generate` };
  return orStop('modelError', () =>
    weights === undefined
      ? policyWorker.generate.executeWithOptions(options, [input])
      : policyWorker.generateForEvaluation.executeWithOptions(options, [{ ...input, weights }]),
  );
}

/** Code that was cut off mid-turn is not run: the trajectory ends there. */
async function executed(plan: RolloutPlan, turn: number, generated: GenerateResult, sandbox: RolloutSandbox): Promise<ExecuteResult | undefined> {
  const { action, finishReason } = generated;
  if (action.kind !== 'code' || finishReason !== 'stop') return undefined;
  const cell = { run: plan.run, task: plan.task.ref, rollout: plan.owner, turn, code: action.code };
  return orStop('infraError', () => sandbox.execute(cell, `${plan.name} turn ${turn} execute`));
}

function playedTurn(plan: RolloutPlan, turn: number, generated: GenerateResult, executed?: ExecuteResult): PlayedTurn {
  const { segment, sampledTokens, finishReason, action } = generated;
  const execution = executed?.execution;
  const observation = executed?.observation ?? malformedObservation(plan, generated);
  return {
    turn,
    policyVersion: plan.policy.policyVersion,
    segment,
    sampledTokens,
    finishReason,
    action,
    ...(execution === undefined ? {} : { execution }),
    ...(observation === undefined ? {} : { observation }),
    formatViolation: formatViolation({ turn, action, ...(execution === undefined ? {} : { execution }) }, plan.task.toolRequired),
    replayed: executed?.replayed ?? false,
  };
}

function malformedObservation(plan: RolloutPlan, { action }: GenerateResult): Text | undefined {
  return action.kind === 'malformed' ? { text: observationOfMalformed(action.reason, plan.task.observationStyle) } : undefined;
}

function seedOfTurn(plan: RolloutPlan, turn: number): number {
  return samplingSeed({ runSeed: plan.config.seed, step: plan.step, taskId: plan.task.id, sibling: plan.sibling, turn });
}

/** The machinery failed for good; says how the trajectory stops. */
class FailedForGood extends Error {
  readonly stopReason: StopReason;

  constructor(stopReason: StopReason, cause: TemporalFailure) {
    super(reasonOf(cause), { cause });
    this.stopReason = stopReason;
  }
}

async function orStop<Result>(stopReason: StopReason, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    // A bug of ours is no TemporalFailure and must not be counted as one of the machinery.
    if (isCancellation(error) || !(error instanceof TemporalFailure)) throw error;
    throw new FailedForGood(stopReason, error);
  }
}
