/** @file A failure for good does not end a run: the workflow parks in phase `waiting-for-operator`, says why, and goes on after `resume`. */
import { CancellationScope, condition, getExternalWorkflowHandle, setCurrentDetails, setHandler, TemporalFailure, workflowInfo } from '@temporalio/workflow';
import type { Hyperparameters, Phase } from '../core/run/types.ts';
import { announce } from './attributes.ts';
import { table } from './details.ts';
import { isBadCheckpoint, reasonOf } from './failures.ts';
import { type ChildReport, childSignal, resumeSignal } from './messages.ts';

/** Waits for an operator; returns when told to go on. */
export type Park = (reason: string) => Promise<void>;

/**
 * Calls `attempt` until it succeeds, waiting for an operator after every failure for good. Cancellation and bugs of ours pass through, and so
 * does a refused checkpoint: `train` goes on from an earlier one by itself.
 */
export async function untilDone<Result>(park: Park, attempt: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (CancellationScope.current().consideredCancelled || !(error instanceof TemporalFailure) || isBadCheckpoint(error)) throw error;
      await park(reasonOf(error));
    }
  }
}

/**
 * Tells the parent, when there is one, where this child stands. Does not wait: a run goes on although its display lags. Each report leaves
 * after the one before has arrived, because the server does not keep signals in order.
 */
export class ReportsToParent {
  #arrived: Promise<void> = Promise.resolve();

  send(report: Omit<ChildReport, 'workflowId'>): void {
    const { parent, workflowId } = workflowInfo();
    if (parent === undefined) return;
    const signal = () => getExternalWorkflowHandle(parent.workflowId).signal(childSignal, { workflowId, ...report });
    this.#arrived = this.#arrived.then(signal).catch(() => {
      // The parent has ended; its close policy is about to end this child too.
    });
  }
}

/**
 * How a child of `train` parks in one of its phases. `onResume` hears every `resume`: the hyperparameters that `train` holds by then, and
 * whether this child was parked (what was not has begun with its own values and ends with them).
 */
export function childParking(
  reports: ReportsToParent,
  onResume: (hyperparameters: Hyperparameters | undefined, parked: boolean) => void = () => {},
): (phase: Phase) => Park {
  let parked = false;
  const resume = (hyperparameters?: Hyperparameters) => {
    onResume(hyperparameters, parked);
    parked = false;
  };
  setHandler(resumeSignal, resume, { description: 'Go on after a failure that waits for an operator' });
  return (phase) => async (reason) => {
    parked = true;
    setCurrentDetails(waitingDetails(reason));
    announce({ phase: 'waiting-for-operator' });
    reports.send({ phase: 'waiting-for-operator', reason });
    await condition(() => !parked);
    setCurrentDetails('');
    announce({ phase });
    reports.send({ phase });
  };
}

export function waitingDetails(reason: string): string {
  return `${table(['waiting for an operator because of'], [[reason]])}\n\nRemove the cause, change hyperparameters if need be, then send \`resume\` to the run.`;
}
