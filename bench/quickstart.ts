/**
 * @file The quickstart as a person runs it, from nothing: its scores on three seeds, and how long the training part takes.
 * Each run has a home and ports of its own. The scores of 200 held-out tasks carry a standard error of up to .035.
 * TURNWISE_BENCH_LONG=1 adds the run of 150 steps.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EvaluationResult } from '../core/run/types.ts';
import { temporalConfigWithOwnPorts } from '../test/support/ownPorts.ts';
import type { Figure } from './figure.ts';

interface QuickstartResult {
  readonly phase: string;
  readonly seconds: number;
  readonly before: readonly EvaluationResult[];
  readonly after: readonly EvaluationResult[];
}

const script = fileURLToPath(new URL('../scripts/quickstart.ts', import.meta.url));
const seeds = [0, 1, 2];

export async function quickstartFigures(): Promise<Figure[]> {
  const results: QuickstartResult[] = [];
  for (const seed of seeds) results.push(await quickstart(['--seed', String(seed)]));
  const before = results.map((result) => sampledShare(result.before));
  const after = results.map((result) => sampledShare(result.after));
  const seconds = results.map((result) => result.seconds);
  const how = 'npm run quickstart; 200 held-out tasks, sampled at temperature 1';
  const figures: Figure[] = [
    figure(
      'quickstart warm-up, sampled',
      mean(before),
      '',
      '.25 – .60, each',
      before.every((share) => share >= 0.25 && share <= 0.6),
      before,
      how,
    ),
    figure('quickstart after GTPO, seed 0', after[0] as number, '', '≥ .80', (after[0] as number) >= 0.8, after, how),
    figure('quickstart after GTPO, mean of seeds', mean(after), '', '≥ .75', mean(after) >= 0.75, after, `${how}; seeds ${seeds.join(', ')}`),
    figure(
      'quickstart training part',
      median(seconds),
      's',
      '≤ 300',
      median(seconds) <= 300,
      seconds,
      'from the start of the run to its report, median of the seeds',
    ),
  ];
  return process.env['TURNWISE_BENCH_LONG'] === '1' ? [...figures, await longRun()] : figures;
}

async function longRun(): Promise<Figure> {
  const share = sampledShare((await quickstart(['--steps', '150'])).after);
  return figure('quickstart, 150 steps', share, '', '≥ .93', share >= 0.93, [share], 'npm run quickstart -- --steps 150; 200 held-out tasks, sampled');
}

async function quickstart(options: readonly string[]): Promise<QuickstartResult> {
  const home = mkdtempSync(join(tmpdir(), 'turnwise-bench-'));
  try {
    const result = join(home, 'result.json');
    const environment = { ...process.env, TURNWISE_HOME: home, TURNWISE_TEMPORAL_YAML: await temporalConfigWithOwnPorts(home) };
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, '--json', result, ...options], {
      env: environment,
      stdio: 'ignore',
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`quickstart ${options.join(' ')}: expected exit code 0, got ${code}; its logs were in ${home}`);
    return JSON.parse(readFileSync(result, 'utf8')) as QuickstartResult;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function sampledShare(results: readonly EvaluationResult[]): number {
  const sampled = results.find(({ mode }) => mode === 'sampled');
  if (!sampled) throw new Error('quickstart: expected a sampled evaluation in its result, got none');
  return sampled.solvedShare;
}

function figure(name: string, value: number, unit: string, bar: string, pass: boolean, values: readonly number[], how: string): Figure {
  return { name, value, unit, bar, pass, spread: [Math.min(...values), Math.max(...values)], how };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
