/**
 * @file Memory figures: how much each worker of a whole run of 200 steps still grows after its twentieth: a quickstart with a short warm-up, in
 * a home and on ports of its own, in which the resident memory of every worker is read twice a second. Traps: a heap that only looks grown
 * because the garbage collector has not run (so the growth is that of medians over ten steps), and memory in swap (RSS is what counts here).
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { temporalConfigWithOwnPorts } from '../test/support/ownPorts.ts';
import { workerRoles } from '../workers/supervisor/processRecords.ts';
import type { Figure } from './figure.ts';

const steps = 200;
const settledAfter = 20;
const window = 10;
const mostGrowth = 0.1;
const sampleEveryMs = 500;
const script = fileURLToPath(new URL('../scripts/quickstart.ts', import.meta.url));
const settings = ['--steps', String(steps), 'warmup.steps=400', 'evaluation.tasks=32'];
/** `scout` has nothing to do in a training run. */
const roles = workerRoles.filter((role) => role !== 'scout');
type MeasuredRole = (typeof roles)[number];

/** MiB by steps that were done, for each worker. */
type Samples = Map<MeasuredRole, number[][]>;

export async function memoryFigures(): Promise<Figure[]> {
  const samples = await sampledRun();
  return roles.flatMap((role) => figuresOf(role, (samples.get(role) ?? []).map(median)));
}

function figuresOf(role: MeasuredRole, perStep: readonly number[]): Figure[] {
  const settled = median(perStep.slice(settledAfter - window, settledAfter));
  const later = perStep.slice(settledAfter).map((_, i, all) => median(all.slice(Math.max(0, i - window + 1), i + 1)));
  const growth = Math.max(...later) / settled - 1;
  const how = `npm run quickstart -- ${settings.join(' ')}; resident memory, median of each step, then medians over ${window} steps`;
  return [
    {
      name: `memory.${role}.growth`,
      value: growth,
      unit: 'share',
      bar: `≤ ${mostGrowth}`,
      pass: growth <= mostGrowth,
      spread: null,
      how: `${how}; the largest after step ${settledAfter} ÷ that of step ${settledAfter}, - 1`,
    },
    { name: `memory.${role}.resident`, value: settled, unit: 'MiB', bar: null, pass: null, spread: [Math.min(...later), Math.max(...later)], how },
  ];
}

async function sampledRun(): Promise<Samples> {
  const home = mkdtempSync(join(tmpdir(), 'turnwise-bench-memory-'));
  try {
    const environment = { ...process.env, TURNWISE_HOME: home, TURNWISE_TEMPORAL_YAML: await temporalConfigWithOwnPorts(home) };
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...settings], { env: environment, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const samples: Samples = new Map(roles.map((role) => [role, Array.from({ length: steps }, () => [])]));
    for (let code: number | null | 'goesOn' = 'goesOn'; code === 'goesOn'; ) {
      sample(home, samples);
      code = await Promise.race([ended, pause(sampleEveryMs, 'goesOn' as const)]);
      if (code !== 'goesOn' && code !== 0) throw new Error(`bench/memory.ts: expected the run to end with exit code 0, got ${code}`);
    }
    return samples;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Only while steps are being done: neither warm-up nor the evaluations are steps. */
function sample(home: string, samples: Samples): void {
  const done = stepsDone(home);
  if (done === 0 || done >= steps) return;
  for (const role of roles) {
    const mebibytes = residentMebibytes(join(home, 'processes', `${role}.json`));
    if (mebibytes !== undefined) samples.get(role)?.[done]?.push(mebibytes);
  }
}

function stepsDone(home: string): number {
  const runs = join(home, 'runs');
  const [run] = existsSync(runs) ? readdirSync(runs) : [];
  const metrics = run === undefined ? undefined : join(runs, run, 'metrics.jsonl');
  if (metrics === undefined || !existsSync(metrics)) return 0;
  return readFileSync(metrics, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"kind":"step"')).length;
}

/** Undefined between two lives of a worker. Linux only. */
function residentMebibytes(record: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(record, 'utf8')) as { pid: number };
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  } catch {
    return undefined;
  }
}

/** NaN of nothing: a figure that then cannot pass. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
