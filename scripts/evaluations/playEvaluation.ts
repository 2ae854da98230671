/** @file Plays one mode of an evaluation as a workflow of its own, and waits for its result. */
import { playingQueue } from '../../core/run/names.ts';
import type { EvaluateInput, EvaluationResult } from '../../core/run/types.ts';
import type { Processes } from '../../workers/supervisor/supervisor.ts';
import { throwCause } from '../runs/followRun.ts';
import { clientFor } from '../runs/playRun.ts';

export async function playEvaluation(processes: Processes, input: EvaluateInput): Promise<EvaluationResult> {
  const client = await clientFor(processes);
  const workflowId = `evaluate/${input.run}/${Date.now()}-${input.mode}`;
  return client.workflow
    .execute('evaluate', { taskQueue: playingQueue, workflowId, args: [input] })
    .then((result) => result as EvaluationResult)
    .catch(throwCause)
    .finally(() => client.connection.close());
}

/** Of `--modes`. */
export function modesOf(list: string): EvaluationResult['mode'][] {
  return list.split(',').map((mode) => {
    if (mode === 'greedy' || mode === 'sampled') return mode;
    throw new Error(`--modes: expected greedy, sampled or both, got ${mode}`);
  });
}
