/** @file Plays one mode of an evaluation as a workflow of its own, and waits for its result. */
import type { WeightPrecision } from '../../core/model/quantisation.ts';
import { playingQueue } from '../../core/run/names.ts';
import type { EvaluateInput, EvaluationResult } from '../../core/run/types.ts';
import type { Processes } from '../../workers/supervisor/supervisor.ts';
import { throwCause } from '../runs/followRun.ts';
import { clientFor } from '../runs/playRun.ts';

/** A result that names its weights also where they are those that are trained. */
export type Weighed = EvaluationResult & { readonly weights: WeightPrecision };

/** @throws Error also when another policy was measured than was asked for. */
export async function playEvaluation(processes: Processes, input: EvaluateInput): Promise<Weighed> {
  const client = await clientFor(processes);
  const workflowId = `evaluate/${input.run}/${Date.now()}-${input.mode}`;
  return client.workflow
    .execute('evaluate', { taskQueue: playingQueue, workflowId, args: [input] })
    .then((result) => weighed(result as EvaluationResult, input))
    .catch(throwCause)
    .finally(() => client.connection.close());
}

/** A worker of an earlier version does not know of weights, and plays with those that are trained. */
function weighed(result: EvaluationResult, input: EvaluateInput): Weighed {
  const [weights, asked] = [result.weights ?? 'float32', input.weights ?? 'float32'];
  if (weights === asked) return { ...result, weights };
  throw new Error(
    `--weights ${asked}: the workers that run here played with ${weights}: they are of an earlier version; end \`npm run up\` (Ctrl-C) and start it again`,
  );
}

/** Of `--modes`. */
export function modesOf(list: string): EvaluationResult['mode'][] {
  return list.split(',').map((mode) => {
    if (mode === 'greedy' || mode === 'sampled') return mode;
    throw new Error(`--modes: expected greedy, sampled or both, got ${mode}`);
  });
}
