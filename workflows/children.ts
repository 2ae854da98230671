/** @file How a workflow starts its children, so that ending the parent ends them: by cancellation, which frees their sandboxes. */
import { type SearchAttributePair, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Workflow, WorkflowResultType } from '@temporalio/workflow';
import { executeChild, sleep } from '@temporalio/workflow';

export interface Child<Definition extends Workflow> {
  readonly workflowId: string;
  /** Absent: the parent's. */
  readonly taskQueue?: string;
  readonly args: Parameters<Definition>;
  readonly summary: string;
  readonly searchAttributes: SearchAttributePair[];
}

/** An earlier run's child of the same id may still be giving its sandboxes back. */
const closingWaitSeconds = 60;

export async function playChild<Definition extends Workflow>(definition: Definition, child: Child<Definition>): Promise<WorkflowResultType<Definition>> {
  for (let waited = 0; ; waited++) {
    try {
      return await startAndWait(definition, child);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || waited >= closingWaitSeconds) throw error;
      await sleep('1s', { summary: `${child.workflowId} of an earlier run is still closing` });
    }
  }
}

function startAndWait<Definition extends Workflow>(definition: Definition, child: Child<Definition>): Promise<WorkflowResultType<Definition>> {
  return executeChild<Workflow>(definition.name, {
    workflowId: child.workflowId,
    ...(child.taskQueue === undefined ? {} : { taskQueue: child.taskQueue }),
    args: child.args,
    staticSummary: child.summary,
    typedSearchAttributes: child.searchAttributes,
    // The default would terminate children when the parent is terminated: no clean-up would run in them.
    parentClosePolicy: 'REQUEST_CANCEL',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  }) as Promise<WorkflowResultType<Definition>>;
}

/** Runs `play` for every item, at most `limit` at a time; results in the order of the items. */
export async function boundedFanOut<Item, Result>(
  items: readonly Item[],
  limit: number,
  play: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await play(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
