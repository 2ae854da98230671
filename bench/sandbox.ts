/** @file What the embedded sandbox costs: starting, opening a session, a cell, and rollouts a second. Trap: siblings that run the same cell on the same state share its result, so every cell here is another, but where it says alike. */
import { readFileSync } from 'node:fs';
import { EmbeddedBackend } from '../activities/sandbox/embedded/backend.ts';
import type { Sandbox } from '../activities/sandbox/sandbox.ts';
import type { Figure } from './figure.ts';

const processes = 2;
const sessions = 64;
const cellsPerRollout = 4;
const limits = { wallMs: 30_000, memoryMiB: 128, outputBytes: 4096 };
const signal = new AbortController().signal;
const setup = "table = {'a': 1, 'b': 2}\ndef lookup(key):\n    return table[key]";

/** A cell that no session ran before, or (`alike`) the one that all siblings run. */
let cells = 0;
function cell(alike = false, index = 0): string {
  cells += 1;
  return `total = lookup('a') + sum(i * i for i in range(50)) + ${alike ? index : 1000 + cells}\ntotal`;
}

export async function sandboxFigures(): Promise<Figure[]> {
  const startedAt = performance.now();
  const backend = new EmbeddedBackend({ processes });
  try {
    await backend.warm();
    const startMs = performance.now() - startedAt;
    await rolloutsPerSecond(backend);
    return await figuresOf(backend, startMs);
  } finally {
    await backend.shutdown();
  }
}

async function figuresOf(backend: EmbeddedBackend, startMs: number): Promise<Figure[]> {
  const opened = await timedEach(sessions, () => open(backend));
  const sandboxes = opened.results;
  const [first] = sandboxes as [Sandbox];
  const inPlace = await timedEach(200, () => first.execute(cell(), signal));
  const rotating = await timedEach(200, (index) => (sandboxes[index % sandboxes.length] as Sandbox).execute(cell(), signal));
  const memory = backend.pids.map(residentMebibytes).filter(Number.isFinite);
  await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
  const [rates, alikeRates]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    rates.push(await rolloutsPerSecond(backend));
    alikeRates.push(await rolloutsPerSecond(backend, true));
  }
  return [
    figure('sandbox start', [startMs], 'ms', `${processes} processes at once, until the first takes cells`),
    figure('sandbox open', opened.ms, 'ms', 'median of 64 sessions of one setup'),
    figure('sandbox cell, same session', inPlace.ms, 'ms', 'median of 200 cells one after another'),
    figure('sandbox cell, other session', rotating.ms, 'ms', 'median of 200 cells, each of the session that waited longest'),
    figure('sandbox rollouts', rates, 'rollouts/s', `${sessions} rollouts side by side, each open, ${cellsPerRollout} cells, close; ${processes} processes`),
    figure('sandbox rollouts, alike', alikeRates, 'rollouts/s', 'the same, when all run the same cells'),
    figure('sandbox memory', memory, 'MiB', `resident memory of a process that holds ${sessions / processes} sessions`),
  ];
}

async function rolloutsPerSecond(backend: EmbeddedBackend, alike = false): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: sessions }, async () => {
      const sandbox = await open(backend);
      for (let index = 0; index < cellsPerRollout; index += 1) await sandbox.execute(cell(alike, index), signal);
      await sandbox.close();
    }),
  );
  return sessions / ((performance.now() - startedAt) / 1000);
}

function open(backend: EmbeddedBackend): Promise<Sandbox> {
  return backend.open({ owner: 'bench', setup, limits, signal });
}

async function timedEach<Result>(count: number, act: (index: number) => Promise<Result>): Promise<{ ms: number[]; results: Result[] }> {
  const ms: number[] = [];
  const results: Result[] = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    results.push(await act(index));
    ms.push(performance.now() - startedAt);
  }
  return { ms, results };
}

function figure(name: string, values: readonly number[], unit: string, how: string): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { name, value: at(0.5), unit, bar: null, pass: null, spread: [at(0), at(0.95)], how };
}

function residentMebibytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN; // no /proc here
  }
}
