/** @file What is on disk of a run, for those who show it: the report, `inspect`, and whoever resumes. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunConfig } from '../../core/run/config.ts';
import { runPaths } from '../artifacts/paths.ts';
import { type EvaluationLine, identifyEvaluation, identifyLedger, identifyMetrics, type LedgerLine, type MetricsLine, readLines } from './lines.ts';
import { readStanding, type Standing } from './standing.ts';
import { type TrajectoryLine, trajectoryFileName } from './trajectoryLine.ts';

export interface RunRecords {
  readonly run: string;
  /** null where the run has not got that far, or config.json is damaged. */
  readonly config: RunConfig | null;
  /** How it ended; null before, and where nobody has said so. */
  readonly standing: Standing | null;
  readonly warmup: readonly MetricsLine[];
  readonly steps: readonly MetricsLine[];
  readonly evaluations: readonly EvaluationLine[];
  readonly ledger: LedgerSummary;
  /** Steps whose trajectories are on disk, ascending. */
  readonly trajectorySteps: readonly number[];
}

export interface LedgerSummary {
  readonly rollouts: number;
  readonly trained: number;
  readonly tasks: number;
  readonly replayedTurns: number;
  /** Rollouts that were not trained on, by the first word of their reason, most frequent first. */
  readonly excluded: readonly { readonly reason: string; readonly count: number; readonly example: string }[];
}

export async function readRun(home: string, run: string): Promise<RunRecords> {
  const paths = runPaths(home, run);
  const [metrics, evaluations, ledger, trajectorySteps, config, standing] = await Promise.all([
    readLines(paths.metrics, identifyMetrics),
    readLines(paths.evaluations, identifyEvaluation),
    readLines(paths.ledger, identifyLedger),
    stepsIn(paths.trajectories),
    readConfig(paths.config),
    readStanding(paths.status),
  ]);
  return {
    run,
    config,
    standing,
    warmup: metrics.filter(({ kind }) => kind === 'warmup'),
    steps: metrics.filter(({ kind }) => kind === 'step'),
    evaluations,
    ledger: summaryOf(ledger),
    trajectorySteps,
  };
}

export function readTrajectories(home: string, run: string, step: number): Promise<readonly TrajectoryLine[]> {
  return readLines<TrajectoryLine>(join(runPaths(home, run).trajectories, trajectoryFileName(step)));
}

async function readConfig(path: string): Promise<RunConfig | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as RunConfig;
  } catch {
    // A report without its configuration says so; it is still a report.
    return null;
  }
}

async function stepsIn(directory: string): Promise<readonly number[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => /^step_(\d{6,})\.jsonl$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function summaryOf(lines: readonly LedgerLine[]): LedgerSummary {
  const excluded = new Map<string, { count: number; example: string }>();
  for (const { trained, reason = 'unknown' } of lines) {
    if (trained) continue;
    const [kind = reason] = reason.split(':');
    const known = excluded.get(kind);
    if (known === undefined) excluded.set(kind, { count: 1, example: reason });
    else known.count += 1;
  }
  return {
    rollouts: lines.length,
    trained: lines.filter(({ trained }) => trained).length,
    tasks: new Set(lines.map(({ group_id }) => group_id)).size,
    replayedTurns: lines.flatMap(({ turns }) => turns).filter(({ replayed }) => replayed).length,
    excluded: [...excluded]
      .map(([reason, { count, example }]) => ({ reason, count, example }))
      .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
  };
}
