/**
 * @file Activity `advantages`: what every turn of a step earned. Writes the trajectories, the ledger and the training batch.
 * Idempotent per (run, step): its output follows from its input alone, files are replaced or appended to once.
 */

import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { batchRow } from '../core/gtpo/batchRow.ts';
import { assignCredit } from '../core/gtpo/credit.ts';
import { type CreditedGroup, creditMetrics } from '../core/gtpo/metrics.ts';
import type { PerBatch, PerGroup } from '../core/gtpo/types.ts';
import type { GradedTrajectory, Trajectory, TrajectoryTurn } from '../core/rollout/trajectory.ts';
import type { ArtifactRef } from '../core/rollout/types.ts';
import { encodeBatch } from '../core/run/batch.ts';
import type { CreditInput, CreditResult } from '../core/run/types.ts';
import { writeFileAtomic } from './artifacts/atomicWrite.ts';
import { runPaths } from './artifacts/paths.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import { heartbeating } from './heartbeating.ts';
import { appendOnce } from './records/appendOnly.ts';
import { type Embed, gradedGroup } from './records/gradedGroup.ts';
import { exclusionOf, ledgerLines } from './records/ledgerLines.ts';
import { identifyLedger } from './records/lines.ts';
import { type CreditedTrajectory, trajectoryFileName, trajectoryLine } from './records/trajectoryLine.ts';
import type { LightActivities } from './signatures.ts';

export interface AdvantagesDependencies {
  /** TURNWISE_HOME. */
  readonly home: string;
  readonly store: ArtifactStore;
  /** Needed where a run asks for similarity `embedding`. */
  readonly embed?: Embed;
}

export function createAdvantages(dependencies: AdvantagesDependencies): LightActivities['advantages'] {
  return (input) => heartbeating((signal) => advantages(input, dependencies, signal));
}

async function advantages(input: CreditInput, dependencies: AdvantagesDependencies, signal: AbortSignal): Promise<CreditResult> {
  const { home, store } = dependencies;
  const paths = runPaths(home, input.run);
  const groups = await creditedGroups(input, dependencies);
  signal.throwIfAborted();
  const trajectories = groups.flatMap((group, position) => creditedTrajectories(group, `s${input.step}/t${position}`));
  const rows = trajectories.flatMap(({ trajectory, credit, excludedBecause }) =>
    credit && excludedBecause === undefined ? [batchRow(trajectory, credit)] : [],
  );
  const content = trajectories.map((trajectory) => `${JSON.stringify(trajectoryLine(trajectory))}\n`).join('');
  await writeFileAtomic(join(paths.trajectories, trajectoryFileName(input.step)), content);
  await appendOnce(paths.ledger, ledgerLines(input, trajectories), identifyLedger);
  return { batch: rows.length === 0 ? null : await store.put(encodeBatch(rows)), metrics: creditMetrics(groups) };
}

async function creditedGroups(input: CreditInput, { store, embed }: AdvantagesDependencies): Promise<PerBatch<CreditedGroup>> {
  const played: PerGroup<Trajectory>[] = [];
  for (const { trajectories } of input.groups) played.push(await readTrajectories(store, trajectories));
  const groups = await Promise.all(played.map((trajectories) => gradedGroup(trajectories, input.credit, embed)));
  return assignCredit(groups, input.credit).map((credit, i) => ({ trajectories: played[i] as PerGroup<Trajectory>, credit }));
}

/** All siblings of a group in sibling order, however many artifacts they were graded into. */
async function readTrajectories(store: ArtifactStore, refs: readonly ArtifactRef[]): Promise<PerGroup<Trajectory>> {
  const texts = await Promise.all(refs.map(async (ref) => Buffer.from(await store.get(ref)).toString('utf8')));
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
  return lines.map((line) => trainable(JSON.parse(line) as GradedTrajectory)).sort((a, b) => a.sibling - b.sibling);
}

/** Whoever played it and whatever the workflow says: how its tokens were sampled is written beside them. */
function trainable(trajectory: GradedTrajectory): Trajectory {
  const { taskId, sibling, turns } = trajectory;
  return { ...trajectory, turns: turns.map(trainableTurn) };

  function trainableTurn(turn: GradedTrajectory['turns'][number]): TrajectoryTurn {
    if (!('weights' in turn)) return turn;
    throw ApplicationFailure.nonRetryable(
      `advantages, ${taskId} r${sibling} turn ${turn.turn}: expected a rollout sampled with the weights that are trained, got weights ${turn.weights}; play it again`,
      'OtherWeights',
    );
  }
}

function creditedTrajectories({ trajectories, credit }: CreditedGroup, groupId: string): CreditedTrajectory[] {
  return trajectories.map((trajectory, i) => ({
    trajectory,
    credit: credit.trajectories[i] ?? null,
    groupId,
    excludedBecause: exclusionOf(trajectory, credit),
  }));
}
