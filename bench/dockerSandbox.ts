/**
 * @file What the Docker sandbox costs, as ratios to the floor: `python3 -I -c` spawned by Node in the same run, alternated with what is measured.
 * Trap: the floor's interpreter and the box's should be the same; the image made of this machine's Python is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatOwner, ownerHere } from '../activities/processOwner.ts';
import { DockerBackend } from '../activities/sandbox/docker/backend.ts';
import type { Box } from '../activities/sandbox/docker/box.ts';
import { type Engine, engineOf, engineVersion } from '../activities/sandbox/docker/engine.ts';
import { ensureImage } from '../activities/sandbox/docker/image.ts';
import { labels } from '../activities/sandbox/docker/labels.ts';
import { type BoxPlace, makeBox } from '../activities/sandbox/docker/makeBox.ts';
import { ownBoxes } from '../activities/sandbox/docker/reaper.ts';
import { runLimitsOf } from '../activities/sandbox/docker/runLimits.ts';
import type { Figure } from './figure.ts';

const limits = { wallMs: 30_000, memoryMiB: 256, outputBytes: 4096 };
const signal = new AbortController().signal;
const rounds = 60;
const boxes = 4;
/** After an answer a box still ends and makes processes. */
const settledMs = 1000;
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

/** @throws Error where no daemon answers: then there is nothing to measure. */
export async function dockerSandboxFigures(): Promise<Figure[]> {
  const engine = engineOf();
  await engineVersion(engine);
  const image = await ensureImage(engine);
  const place = { engine, image, purpose: 'bench' };
  const backend = new DockerBackend({ ...place, memoryBudgetBytes: 32 * 2 ** 30, spare: { count: 0, memoryMiB: limits.memoryMiB } });
  try {
    await backend.warm();
    const figures = [...(await latencyFigures(backend)), await throughputFigure(place), await creationFigure(place), ...(await memoryFigures(place))];
    return [...figures, ...(await leakFigures(engine, image))];
  } finally {
    await backend.shutdown();
  }
}

async function latencyFigures(backend: DockerBackend): Promise<Figure[]> {
  const session = await backend.open({ owner: 'bench', setup: 'x = 0', limits, signal });
  const heavy = await backend.open({ owner: 'bench', setup: "held = b'x' * 100_000_000\nx = 0", limits, signal });
  const series = { floor: [] as number[], run: [] as number[], cell: [] as number[], heavy: [] as number[], reuse: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    series.floor.push(await timed(floor));
    series.run.push(await timed(() => backend.run({ owner: 'bench', code: 'print(1 + 1)', stdin: '', limits, signal })));
    series.cell.push(await timed(() => session.execute('x += 1\nx', signal)));
    series.heavy.push(await timed(() => heavy.execute('x += 1\nx', signal)));
    const again = await backend.open({ owner: 'bench', setup: '', limits, signal });
    await again.execute('1', signal);
    series.reuse.push(await timed(() => again.close()));
  }
  await Promise.all([session.close(), heavy.close()]);
  const floorMs = middle(series.floor);
  const ratio = (name: string, ms: readonly number[], bar: number, what: string) =>
    figure(
      name,
      ms.map((value) => value / floorMs),
      '× floor',
      bar,
      `${what}: ${middle(ms).toFixed(2)} ms, the floor ${floorMs.toFixed(2)} ms; medians of ${rounds}, alternated`,
    );
  return [
    ratio('docker run, stateless', series.run, 0.5, 'one program in a fresh process'),
    ratio('docker cell', series.cell, 0.35, 'a cell that can be rolled back'),
    ratio('docker cell, 100 MB of heap', series.heavy, 1, 'the same in a session that holds 100 MB'),
    ratio('docker reset', series.reuse, 0.5, 'close of a session until its box is verified clean'),
  ];
}

/** Trap: a box that is made meanwhile costs as much as a hundred programs, so the budget is four boxes, and they are there before. */
async function throughputFigure(place: BoxPlace): Promise<Figure> {
  const backend = new DockerBackend({ ...place, memoryBudgetBytes: boxes * limits.memoryMiB * 2 ** 20, spare: { count: 0, memoryMiB: limits.memoryMiB } });
  const program = () => backend.run({ owner: 'bench', code: 'print(1 + 1)', stdin: '', limits, signal });
  const floors: number[] = [];
  const rates: number[] = [];
  try {
    await perSecond(boxes, 20 * boxes, program);
    for (let round = 0; round < 5; round += 1) {
      floors.push(Math.max(await perSecond(1, 60, floor), await perSecond(2, 100, floor), await perSecond(4, 120, floor)));
      rates.push(await perSecond(boxes, 400, program));
    }
  } finally {
    await backend.shutdown();
  }
  const best = middle(floors);
  return figure(
    'docker throughput, 4 boxes',
    rates.map((rate) => rate / best),
    '× floor',
    -3,
    `${middle(rates).toFixed(0)} programs a second, the floor's best ${best.toFixed(0)}`,
  );
}

async function creationFigure(place: BoxPlace): Promise<Figure> {
  const ms: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const startedAt = performance.now();
    const box = await makeBox(place, limits.memoryMiB * 2 ** 20, () => undefined);
    ms.push(performance.now() - startedAt);
    await box.destroy();
  }
  return figure('docker box, create to ready', ms, 'ms', 250, 'median of 10, one at a time');
}

/**
 * Trap: the machine's available memory moves with whatever else runs, so each box's own pages are counted, and its share of those that it has in common with others.
 * Every box has held a session before it counts as idle: one that has run nothing shares pages that it has copied after its first.
 */
async function memoryFigures(place: BoxPlace): Promise<Figure[]> {
  const count = 64;
  const made: Box[] = [];
  const each = async (): Promise<number[]> => {
    await sleep(settledMs);
    return Promise.all(made.map(async ({ containerId }) => memoryOfBox(await hostPid(place.engine, containerId))));
  };
  try {
    for (let four = 0; four < count / 4; four += 1) {
      made.push(...(await Promise.all(Array.from({ length: 4 }, () => makeBox(place, limits.memoryMiB * 2 ** 20, () => undefined)))));
    }
    await inFours(made, async (box) => {
      const shared = { stdin: '', limits: runLimitsOf(limits) } as const;
      await box.perform({ op: 'open', code: '', rollback: true, ...shared }, signal);
      await box.perform({ op: 'execute', code: 'x = 1', filesIn: [], filesOut: [], ...shared }, signal);
    });
    const open = await each();
    await inFours(made, async (box) => {
      if (!(await box.reset())) throw new Error(`box ${box.containerId}: expected it to be empty after its session`);
    });
    const idle = await each();
    const how = `proportional set size of a box's processes and its containerd-shim; median of ${count} boxes`;
    return [
      figure('sandbox.idleMemory', idle, 'MiB', 20, `${how} after a session of one cell`),
      { ...figure('sandbox.sessionMemory', open, 'MiB', 0, `${how} that hold a session after its first cell`), bar: null, pass: null },
    ];
  } finally {
    await Promise.all(made.map((box) => box.destroy()));
  }
}

async function inFours(boxes: readonly Box[], act: (box: Box) => Promise<void>): Promise<void> {
  for (let start = 0; start < boxes.length; start += 4) await Promise.all(boxes.slice(start, start + 4).map(act));
}

async function hostPid(engine: Engine, containerId: string): Promise<number> {
  return (await engine.docker.getContainer(containerId).inspect()).State.Pid;
}

/** Of process 1, its children and its parent, in MiB. Needs the right to look into other users' processes. */
function memoryOfBox(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const shim = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const kibibytes = [shim, pid, ...children].map((each) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, 'utf8'))?.[1]));
  return kibibytes.reduce((sum, each) => sum + each, 0) / 1024;
}

/** A worker with eight busy boxes, killed or stopped: until none of them is left. */
async function leakFigures(engine: Engine, image: string): Promise<Figure[]> {
  const killed: number[] = [];
  for (let round = 0; round < 3; round += 1) killed.push(await goneAfter(engine, image, 'SIGKILL', 600_000));
  const stopped = await goneAfter(engine, image, 'SIGSTOP', 2000);
  return [
    figure('docker boxes after kill -9', killed, 'ms', 1000, 'worker with 8 busy boxes: until none is left (median of 3)'),
    { ...figure('docker boxes after SIGSTOP', [stopped], 'ms', 10_000, 'the same, stopped; its boxes wait 2 s for a sign of life'), bar: 'all gone' },
  ];
}

async function goneAfter(engine: Engine, image: string, how: NodeJS.Signals, silenceMs: number): Promise<number> {
  const script = new URL('../test/sandbox/docker/busyBoxes.ts', import.meta.url).pathname;
  const worker = spawn(process.execPath, [script, engine.address, image, String(silenceMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(worker.stdout, 'data');
  const owner = formatOwner(ownerHere(worker.pid));
  try {
    worker.kill(how);
    const startedAt = performance.now();
    while ((await ownBoxes(engine.docker)).some((box) => box.labels[labels.owner] === owner)) {
      if (performance.now() - startedAt > 60_000) return Number.POSITIVE_INFINITY;
    }
    return performance.now() - startedAt;
  } finally {
    worker.kill('SIGKILL');
  }
}

async function floor(): Promise<void> {
  const child = spawn(python, ['-I', '-c', 'print(1 + 1)'], { stdio: ['ignore', 'pipe', 'ignore'], env: {} });
  child.stdout.resume();
  await once(child, 'close');
}

async function perSecond(concurrency: number, count: number, act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) await act();
    }),
  );
  return count / ((performance.now() - startedAt) / 1000);
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

/** A negative bar is a lower bound. */
function figure(name: string, values: readonly number[], unit: string, bar: number, how: string): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  const value = at(0.5);
  return { name, value, unit, bar: bar < 0 ? `≥ ${-bar}` : `≤ ${bar}`, pass: bar < 0 ? value >= -bar : value <= bar, spread: [at(0.05), at(0.95)], how };
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
