/** @file Plays an evaluation, each mode as a workflow of its own, and waits for the results. */
import type { WeightPrecision } from '../../core/model/quantisation.ts';
import { playingQueue } from '../../core/run/names.ts';
import type { EvaluateInput, EvaluationResult } from '../../core/run/types.ts';
import type { Processes } from '../../workers/supervisor/supervisor.ts';
import { say } from '../runs/command.ts';
import { throwCause } from '../runs/followRun.ts';
import { clientFor } from '../runs/playRun.ts';
import { type RunOnDisk, rolloutConfigOf } from '../runs/policyOf.ts';

/** A result that names its weights also where they are those that are trained. */
export type Weighed = EvaluationResult & { readonly weights: WeightPrecision };

/** Options of `evaluate`. */
export interface Played {
  readonly tasks: number;
  readonly samples: number;
  readonly modes: readonly EvaluationResult['mode'][];
  readonly weights: WeightPrecision;
}

/** @throws Error also when another policy was measured than was asked for. */
export function playModes(processes: Processes, { run, config, policy }: RunOnDisk, { tasks, samples, modes, weights }: Played): Promise<Weighed[]> {
  say(`${run}, ${policy.checkpoint}, weights ${weights}`);
  const quantised = weights === 'float32' ? {} : { weights };
  const input = { run, step: 0, policy, tasks, samplesPerTask: samples, config: rolloutConfigOf(config), perTask: true, ...quantised };
  return Promise.all(modes.map((mode) => playEvaluation(processes, { ...input, mode })));
}

async function playEvaluation(processes: Processes, input: EvaluateInput): Promise<Weighed> {
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
