/** @file A played rollout with everything it refers to read from the artifact store: the trajectory, still without an outcome. */
import { decodeSegment, isQuantised } from '../../core/rollout/ledger.ts';
import type { GradedTrajectory, QuantisedTurn, TrajectoryTurn } from '../../core/rollout/trajectory.ts';
import type { Action, ExecutionResult, PlayedRollout, PlayedTurn } from '../../core/rollout/types.ts';
import { promptOf } from '../../core/tasks/registry.ts';
import type { Task } from '../../core/tasks/task.ts';
import type { ArtifactStore } from '../artifacts/store.ts';

export type UngradedTrajectory = Omit<GradedTrajectory, 'outcome' | 'outcomeReward'>;

export interface GradedRun {
  readonly run: string;
  readonly step: number;
}

export async function playedTrajectory({ run, step }: GradedRun, rollout: PlayedRollout, task: Task, store: ArtifactStore): Promise<UngradedTrajectory> {
  const { sibling, seed, stopReason, failure } = rollout;
  return {
    schemaVersion: 1,
    runId: run,
    step,
    taskId: task.id,
    task: task.ref,
    sibling,
    seed,
    prompt: promptOf(task),
    turns: await Promise.all(rollout.turns.map((turn) => trajectoryTurn(turn, store))),
    stopReason,
    ...(failure === undefined ? {} : { failure }),
  };
}

async function trajectoryTurn(played: PlayedTurn, store: ArtifactStore): Promise<TrajectoryTurn | QuantisedTurn> {
  const { turn, policyVersion, finishReason, action, formatViolation, replayed } = played;
  const [segment, content, whole, execution, observation] = await Promise.all([
    store.fromBytes(played.segment).then(decodeSegment),
    store.fromText(contentOf(action)),
    action.text === undefined ? undefined : store.fromText(action.text),
    played.execution === undefined ? undefined : store.fromText(played.execution.result),
    played.observation === undefined ? undefined : store.fromText(played.observation),
  ]);
  return {
    turn,
    policyVersion,
    givenTokens: [...segment.given],
    sampledTokens: [...segment.sampled],
    ...(isQuantised(segment) ? { weights: segment.weights } : { behaviorLogprobs: [...segment.behaviorLogprobs] }),
    finishReason,
    actionKind: action.kind,
    ...written(action, content, whole),
    ...(execution === undefined ? {} : { execution: JSON.parse(execution) as ExecutionResult }),
    ...(observation === undefined ? {} : { observation }),
    formatViolation,
    replayed,
  };
}

function contentOf(action: Action) {
  if (action.kind === 'code') return action.code;
  return action.kind === 'answer' ? action.answer : action.text;
}

/** What the policy wrote, as text for people; the tokens beside it are what was sampled. */
function written(action: Action, content: string, whole: string | undefined): Pick<TrajectoryTurn, 'text' | 'code' | 'answer'> {
  if (action.kind === 'code') return { text: whole ?? `<code>${content}</code>`, code: content };
  return action.kind === 'answer' ? { text: whole ?? `<answer>${content}</answer>`, answer: content } : { text: content };
}
