/** @file Starts the train workflow of a run. */
import type { Client } from '@temporalio/client';
import type { RunConfig } from '../../core/run/config.ts';
import { taskQueues, workflowIds } from '../../core/run/names.ts';
import type { TrainInput } from '../../core/run/types.ts';

/** An id that runs already is an error; one that has ended may be started again and goes on from its newest checkpoint. */
export async function startRun(client: Client, run: string, config: RunConfig): Promise<void> {
  const input: TrainInput = { run, config };
  await client.workflow.start('train', {
    taskQueue: taskQueues.workflows,
    workflowId: workflowIds.train(run),
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    staticSummary: `${config.credit.method}, ${config.training.steps} steps, seed ${config.seed}`,
  });
}
