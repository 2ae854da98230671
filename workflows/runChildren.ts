/** @file The children of `train`: starts them so that a failure for good waits for an operator, hears them, passes messages on. */
import type { SignalDefinition, Workflow, WorkflowResultType } from '@temporalio/workflow';
import { getExternalWorkflowHandle } from '@temporalio/workflow';
import { type Child, playChild } from './children.ts';
import { type ChildReport, pauseSignal, resumeSignal } from './messages.ts';
import { untilDone } from './parking.ts';
import type { RunState } from './runState.ts';
import { warmup } from './warmup.ts';

export class RunChildren {
  readonly #state: RunState;
  readonly #running = new Map<string, Workflow>();

  constructor(state: RunState) {
    this.#state = state;
  }

  async play<Definition extends Workflow>(definition: Definition, child: Child<Definition>): Promise<WorkflowResultType<Definition>> {
    this.#running.set(child.workflowId, definition);
    try {
      return await untilDone(this.#state.park, () => playChild(definition, child));
    } finally {
      this.#running.delete(child.workflowId);
    }
  }

  /** A report that arrives after its child has ended says nothing any more. */
  heard(report: ChildReport): void {
    if (this.#running.has(report.workflowId)) this.#state.heard(report);
  }

  /** Steps and evaluations finish what they have begun; the warm-up stops between commits. */
  pause(): void {
    for (const [workflowId, definition] of this.#running) {
      if (definition === warmup) tell(workflowId, pauseSignal);
    }
  }

  resume(): void {
    for (const workflowId of this.#running.keys()) tell(workflowId, resumeSignal, this.#state.hyperparameters);
  }
}

function tell<Args extends unknown[]>(workflowId: string, signal: SignalDefinition<Args>, ...args: Args): void {
  getExternalWorkflowHandle(workflowId)
    .signal(signal, ...args)
    .catch(() => {
      // The child has ended meanwhile; what it was to be told no longer matters.
    });
}
