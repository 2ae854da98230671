/** @file What `resume` does with a run, from where the run stands. */
import { setTimeout } from 'node:timers/promises';
import { type Client, type WorkflowExecutionStatusName, WorkflowNotFoundError } from '@temporalio/client';
import { workflowIds } from '../../core/run/names.ts';
import type { Progress, TrainResult } from '../../core/run/types.ts';
import { progressOf } from './followRun.ts';

export interface RunStanding {
  /** `ABSENT`: the server knows no such run (its database was removed, or it is another server). */
  readonly status: WorkflowExecutionStatusName | 'ABSENT';
  /** Of a run that goes on and whose worker answers. */
  readonly progress?: Progress;
  /** Of a run that completed. */
  readonly phase?: TrainResult['phase'];
}

export interface Decision {
  /** Join: only watch. Signal: tell it to go on, then watch. Start: the same id again, from the newest checkpoint. */
  readonly action: 'nothing' | 'join' | 'signal' | 'start';
  readonly why: string;
}

export async function stateOf(client: Client, run: string): Promise<RunStanding> {
  const handle = client.workflow.getHandle(workflowIds.train(run));
  try {
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') {
      const progress = await answerOf(client, run);
      return { status: status.name, ...(progress && { progress }) };
    }
    return status.name === 'COMPLETED' ? { status: status.name, phase: ((await handle.result()) as TrainResult).phase } : { status: status.name };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { status: 'ABSENT' };
    throw error;
  }
}

/** A workflow worker that has just been started replays the run before it answers. */
async function answerOf(client: Client, run: string): Promise<Progress | undefined> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const progress = await progressOf(client, run);
    if (progress) return progress;
    await setTimeout(500);
  }
  return undefined;
}

/** @throws Error when there is no such run anywhere. */
export function decide(run: string, { status, progress, phase }: RunStanding, isOnDisk: boolean): Decision {
  if (status === 'RUNNING') return decideRunning(run, progress);
  if (status === 'COMPLETED' && phase === 'completed') return { action: 'nothing', why: `run ${run} is complete: nothing to do (npm run inspect -- ${run})` };
  if (status === 'COMPLETED' && phase === 'gated') {
    return { action: 'nothing', why: `run ${run} stopped at the gate: its warm-up is too weak to go on; start a new run with more warmup.steps` };
  }
  if (!isOnDisk)
    throw new Error(`run ${run}: neither the server nor .turnwise/runs knows it; npm run status lists runs that go on, ls .turnwise/runs all of them`);
  const how = status === 'ABSENT' ? 'is unknown to the server' : `ended as ${status}${phase ? ` (${phase})` : ''}`;
  return { action: 'start', why: `run ${run} ${how}: starting it again from its newest checkpoint` };
}

function decideRunning(run: string, progress: Progress | undefined): Decision {
  if (!progress) return { action: 'join', why: `run ${run} goes on, but no worker answers yet: watching it` };
  const { phase, reason, step, steps } = progress;
  if (phase === 'waiting-for-operator') return { action: 'signal', why: `run ${run} waits (${reason ?? 'no reason given'}): telling it to try again` };
  if (phase === 'paused') return { action: 'signal', why: `run ${run} is paused after step ${step} of ${steps}: telling it to go on` };
  return { action: 'join', why: `run ${run} goes on by itself (phase ${phase}, step ${step} of ${steps}): watching it` };
}
