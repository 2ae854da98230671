/** @file Where things lie on disk: one home directory (`TURNWISE_HOME`, default `.turnwise`), one directory per run. */
import { join, resolve } from 'node:path';

export function turnwiseHome(): string {
  return resolve(process.env['TURNWISE_HOME'] ?? '.turnwise');
}

export interface RunPaths {
  readonly root: string;
  readonly config: string;
  readonly metrics: string;
  readonly ledger: string;
  readonly evaluations: string;
  readonly trajectories: string;
  readonly checkpoints: string;
  readonly tensorboard: string;
  readonly report: string;
  /** How the run ended; absent before. */
  readonly status: string;
}

/** A run's name is part of paths and of workflow ids. */
const runNamePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export function runPaths(home: string, run: string): RunPaths {
  if (!runNamePattern.test(run)) {
    throw new Error(`run name: expected lower-case letters, digits, '.', '_' or '-' (64 at most, starting with a letter or digit), got ${JSON.stringify(run)}`);
  }
  const root = join(home, 'runs', run);
  return {
    root,
    config: join(root, 'config.json'),
    metrics: join(root, 'metrics.jsonl'),
    ledger: join(root, 'ledger.jsonl'),
    evaluations: join(root, 'evaluations.jsonl'),
    trajectories: join(root, 'trajectories'),
    checkpoints: join(root, 'checkpoints'),
    tensorboard: join(root, 'tensorboard'),
    report: join(root, 'report.html'),
    status: join(root, 'status.json'),
  };
}

export function artifactRoot(home: string): string {
  return join(home, 'artifacts');
}

/** Copies of base models that ONNX Runtime can map. */
export function modelFolder(home: string): string {
  return join(home, 'models');
}
