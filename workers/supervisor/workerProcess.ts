/** @file Starts `workers/<role>.ts` in a process group of its own, with an IPC channel by which it notices that we are gone. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { turnwiseHome } from '../../activities/artifacts/paths.ts';
import { logPath, logTail, openLog } from './cappedLog.ts';
import type { RunningProcess } from './keptProcess.ts';
import { identityOf, killGroup } from './processIdentity.ts';
import type { WorkerRole } from './processRecords.ts';

const readyWithinMs = 120_000;

/**
 * onnxruntime returns large buffers on every call; glibc would give their pages back to the system each time and fault them in again.
 * Huge pages and high thresholds made that copy two to four times faster.
 */
export const allocatorSettings = {
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  MALLOC_MMAP_THRESHOLD_: String(32 * 1024 * 1024),
  MALLOC_TRIM_THRESHOLD_: String(256 * 1024 * 1024),
  // What one thread has freed serves the next one too, instead of staying with the thread that asked for it.
  MALLOC_ARENA_MAX: '1',
};

/**
 * V8's young generation may grow to 48 MiB in each thread, and over a run it does, for no work that needs it: with 4 MiB a part no worker
 * grows after the first steps. Scouting does need it: an index of a large repository takes a fifth longer without.
 */
export const workerFlags: readonly string[] = ['--max-semi-space-size=4'];

export interface WorkerSettings {
  readonly address: string;
  readonly namespace: string;
  readonly stopWithinMs: number;
}

/** Resolves when the worker says that it polls; `stopping` ends one that has not said so yet. What the worker notes beside it is for people. */
export async function startWorker(role: WorkerRole, settings: WorkerSettings, stopping: AbortSignal, say: (line: string) => void): Promise<RunningProcess> {
  const child = fork(fileURLToPath(new URL(`../${role}.ts`, import.meta.url)), [], {
    execArgv: ['--disable-warning=ExperimentalWarning', ...(role === 'scout' ? [] : workerFlags)],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // a Ctrl-C in the terminal is for us; the order of stopping is ours
    env: environmentOf(role, settings),
  });
  const log = openLog(role);
  child.stdout?.on('data', (chunk: Buffer) => log(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => log(chunk.toString()));
  const ended = endOf(child);
  const identity = identityOf(child.pid ?? -1);
  const kill = () => {
    if (identity) killGroup(identity, 'SIGKILL');
  };
  stopping.addEventListener('abort', kill);
  try {
    const { note } = await untilReady(role, child, ended);
    if (note !== undefined) say(note);
  } catch (error) {
    kill();
    throw error;
  } finally {
    stopping.removeEventListener('abort', kill);
  }
  return { pid: child.pid ?? -1, ended, kill, stop: () => stopWorker(child, ended, settings.stopWithinMs, kill) };
}

function computes(role: WorkerRole): boolean {
  return role === 'policy' || role === 'trainer';
}

function environmentOf(role: WorkerRole, { address, namespace }: WorkerSettings): NodeJS.ProcessEnv {
  const allocator = computes(role) ? allocatorSettings : {};
  return { ...allocator, ...process.env, TURNWISE_HOME: turnwiseHome(), TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

interface Ready {
  readonly ready: true;
  readonly note?: string;
}

async function untilReady(role: WorkerRole, child: ChildProcess, ended: Promise<string>): Promise<Ready> {
  const outcome = await Promise.race([messageReady(child), ended, tooLate()]);
  if (typeof outcome !== 'string') return outcome;
  throw new Error(`${outcome}; see ${logPath(role)}, which ends with:\n${logTail(role)}`);
}

function messageReady(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if ((message as { ready?: boolean }).ready) resolve(message as Ready);
    });
  });
}

function tooLate(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(`not ready within ${readyWithinMs / 1000} s`), readyWithinMs).unref();
  });
}

async function stopWorker(child: ChildProcess, ended: Promise<string>, withinMs: number, kill: () => void): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(kill, withinMs);
  await ended;
  clearTimeout(timer);
}
