/** @file Activity `recordStep`: one line of metrics.jsonl and one TensorBoard event for a step. Idempotent per (run, kind, step). */
import type { RecordStepInput } from '../core/run/types.ts';
import { runPaths } from './artifacts/paths.ts';
import { heartbeating } from './heartbeating.ts';
import { appendOnce } from './records/appendOnly.ts';
import { identifyMetrics, type MetricsLine } from './records/lines.ts';
import { recordTensorBoard } from './records/tensorboardRun.ts';
import type { LightActivities } from './signatures.ts';

export interface RecordDependencies {
  /** TURNWISE_HOME. */
  readonly home: string;
}

export function createRecordStep({ home }: RecordDependencies): LightActivities['recordStep'] {
  return (input) => heartbeating(() => recordStep(home, input));
}

async function recordStep(home: string, input: RecordStepInput): Promise<void> {
  const time = new Date();
  await appendOnce(runPaths(home, input.run).metrics, [lineOf(input, time)], identifyMetrics);
  const prefix = input.kind === 'warmup' ? 'warmup/' : '';
  const scalars = Object.fromEntries(Object.entries(input.metrics).map(([name, value]) => [`${prefix}${name}`, value]));
  await recordTensorBoard(home, input.run, { step: input.step, wallTimeSeconds: time.getTime() / 1000, scalars });
}

function lineOf({ run, kind, step, policyVersion, metrics }: RecordStepInput, time: Date): MetricsLine {
  return { schema_version: 1, run_id: run, kind, step, policy_version: policyVersion, time: time.toISOString(), ...metrics };
}
