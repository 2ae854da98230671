/** @file The lines of a run's files, one type a file, and how each is identified. Field names as users of other systems know them: docs/formats.md. */
import { readFile } from 'node:fs/promises';
import type { Outcome, StopReason } from '../../core/rollout/types.ts';
import type { EvaluationResult, Metrics } from '../../core/run/types.ts';
import { keyOf, type LineIdentity, wholeLines } from './appendOnly.ts';

/** metrics.jsonl: one line a step; metric names are keys of the line itself, so that any reader of JSON lines finds columns. */
export interface MetricsLine {
  readonly schema_version: 1;
  readonly run_id: string;
  readonly kind: 'step' | 'warmup';
  readonly step: number;
  readonly policy_version: number;
  /** When it was first recorded, ISO 8601. */
  readonly time: string;
  readonly [metric: string]: number | string | null;
}

const metricsHead: ReadonlySet<string> = new Set(['schema_version', 'run_id', 'kind', 'step', 'policy_version', 'time']);

/** The metrics of a line without its head; values that are not finite were stored as null and are left out. */
export function metricsOf(line: MetricsLine): Metrics {
  return Object.fromEntries(Object.entries(line).filter((entry): entry is [string, number] => !metricsHead.has(entry[0]) && typeof entry[1] === 'number'));
}

/** The warm-up comes before step 1; both count from 1. */
export function identifyMetrics({ kind, step }: MetricsLine): LineIdentity {
  return { position: kind === 'warmup' ? step - 1e9 : step, key: kind };
}

/** evaluations.jsonl: one line a mode. */
export interface EvaluationLine extends EvaluationResult {
  readonly step: number;
  readonly time: string;
}

export function identifyEvaluation({ step, policyVersion, mode }: EvaluationLine): LineIdentity {
  return { position: step, key: `${policyVersion} ${mode}` };
}

/** ledger.jsonl: what became of one rollout, or of a group that was never played (`sibling` null). */
export interface LedgerLine {
  readonly schema_version: 1;
  readonly step: number;
  readonly task_id: string;
  readonly group_id: string;
  readonly sibling: number | null;
  readonly outcome: Outcome | null;
  readonly stop_reason: StopReason | null;
  /** One entry a turn: which weights sampled it, and how many of its tokens are trained on. */
  readonly turns: readonly { readonly turn: number; readonly policy_version: number; readonly sampled_tokens: number; readonly replayed: boolean }[];
  readonly trained: boolean;
  /** Present where not trained. */
  readonly reason?: string;
  /** Weights that sampled; the update of this step makes the next version. */
  readonly policy_version: number;
}

export function identifyLedger({ step, group_id, sibling }: LedgerLine): LineIdentity {
  return { position: step, key: sibling === null ? group_id : `${group_id}/r${sibling}` };
}

/**
 * Every whole line of a file; none when there is no file. What a crash tore off at the end is passed over, and so is a line that is there
 * already: an attempt that was stopped in the middle of its work and wakes up long after another has done it may still write.
 */
export async function readLines<T>(path: string, identify?: (line: T) => LineIdentity): Promise<readonly T[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  });
  const lines = wholeLines(bytes).lines as readonly T[];
  return identify === undefined ? lines : firstOfEach(lines, (line) => keyOf(identify(line)));
}

function firstOfEach<T>(lines: readonly T[], keyOfLine: (line: T) => string): readonly T[] {
  const first = new Map<string, T>();
  for (const line of lines) {
    const key = keyOfLine(line);
    if (!first.has(key)) first.set(key, line);
  }
  return [...first.values()];
}
