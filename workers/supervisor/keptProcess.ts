/** @file One role kept alive: started again when it ends, at once the first time, then with growing pauses. */
import { setTimeout } from 'node:timers/promises';
import { identityOf } from './processIdentity.ts';
import { type ProcessRecord, type Role, removeRecord, writeRecord } from './processRecords.ts';

export interface RunningProcess {
  readonly pid: number;
  /** Resolves with the reason when the process has ended. */
  readonly ended: Promise<string>;
  /** Asks it to end, waits, and kills it when it takes too long. */
  stop(): Promise<void>;
  /** SIGKILL, to it and to its group. */
  kill(): void;
  /** What its record says beyond the pid. */
  readonly details?: Pick<ProcessRecord, 'address' | 'uiUrl'>;
}

export interface KeptProcess {
  /** Resolves when the process is ready for the first time. @throws Error when it cannot be brought up. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
  kill(): void;
}

const longestPauseMs = 30_000;
/** A process that lived this long has recovered: the next crash counts as a first one. */
const steadyAfterMs = 60_000;
const attemptsToBringUp = 3;

export function keepProcess(role: Role, start: (stopping: AbortSignal) => Promise<RunningProcess>, say: (line: string) => void): KeptProcess {
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  let running: RunningProcess | undefined;

  /** One life; answers with why it ended. */
  const live = async (restarts: number): Promise<string> => {
    try {
      running = await start(stopping.signal);
      record(role, running, restarts);
      ready.resolve();
      if (stopping.signal.aborted) await running.stop();
      return await running.ended;
    } catch (error) {
      return (error as Error).message;
    } finally {
      running = undefined;
    }
  };

  const keep = async (): Promise<void> => {
    for (let restarts = 0, crashes = 0; !stopping.signal.aborted; restarts += 1) {
      const startedAt = Date.now();
      const reason = await live(restarts);
      if (stopping.signal.aborted) break;
      crashes = Date.now() - startedAt > steadyAfterMs ? 1 : crashes + 1;
      if (crashes >= attemptsToBringUp) ready.reject(new Error(`${role}: ended ${crashes} times while starting: ${reason}`)); // no effect once it was ready
      const pauseMs = pauseAfter(crashes);
      say(`${role} ended (${reason.split('\n')[0]}); starting it again${pauseMs > 0 ? ` in ${pauseMs / 1000} s` : ''}`);
      await setTimeout(pauseMs, undefined, { signal: stopping.signal }).catch(() => {}); // an abort only ends the pause
    }
    removeRecord(role);
  };

  const kept = keep();
  const stop = async () => {
    stopping.abort();
    await running?.stop();
    await kept;
  };
  const kill = () => {
    stopping.abort();
    running?.kill();
  };
  ready.promise.catch(() => {}); // whoever waits for it sees the error; nobody may wait while stopping
  return { ready: ready.promise, stop, kill };
}

/** 0, then 1, 2, 4 … seconds. */
export function pauseAfter(crashes: number): number {
  return crashes <= 1 ? 0 : Math.min(longestPauseMs, 1000 * 2 ** (crashes - 2));
}

function record(role: Role, { pid, details }: RunningProcess, restarts: number): void {
  const identity = identityOf(pid);
  if (identity) writeRecord({ role, ...identity, startedAt: new Date().toISOString(), restarts, ...details });
}
