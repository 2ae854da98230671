/** @file Activity `recordEvaluation`: evaluations.jsonl and its TensorBoard events. Idempotent per (run, step, policy version, mode). */
import type { RecordEvaluationInput } from '../core/run/types.ts';
import { runPaths } from './artifacts/paths.ts';
import { heartbeating } from './heartbeating.ts';
import type { RecordDependencies } from './recordStep.ts';
import { appendOnce } from './records/appendOnly.ts';
import { type EvaluationLine, identifyEvaluation } from './records/lines.ts';
import { recordTensorBoard } from './records/tensorboardRun.ts';
import type { LightActivities } from './signatures.ts';

export function createRecordEvaluation({ home }: RecordDependencies): LightActivities['recordEvaluation'] {
  return (input) => heartbeating(() => recordEvaluation(home, input));
}

async function recordEvaluation(home: string, { run, step, results }: RecordEvaluationInput): Promise<void> {
  const time = new Date();
  const lines: EvaluationLine[] = results.map((result) => ({ step, time: time.toISOString(), ...result }));
  await appendOnce(runPaths(home, run).evaluations, lines, identifyEvaluation);
  const scalars = Object.fromEntries(
    results.flatMap(({ mode, solvedShare, standardError, meanTurns }) => [
      [`eval/${mode}/solved`, solvedShare],
      [`eval/${mode}/solved_stderr`, standardError],
      [`eval/${mode}/num_turns`, meanTurns],
    ]),
  );
  await recordTensorBoard(home, run, { step, wallTimeSeconds: time.getTime() / 1000, scalars });
}
