/**
 * @file Processor time used so far, by a process or by a thread of this one. A limit on it means the same on a busy machine as on an idle one;
 * wall time does not: what had no processor has not failed. Known on Linux; elsewhere undefined, and wall time has to do.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** The system counts in hundredths of a second, of user and of system time. */
const tickMs = 10;

export function processMs(pid: number): number | undefined {
  return msIn(`/proc/${pid}/stat`);
}

/** Of a worker thread, by the name that it was given. */
export function threadMs(name: string): number | undefined {
  const thread = threadsOfThisProcess().find((id) => textOf(`/proc/self/task/${id}/comm`)?.trim() === name);
  return thread === undefined ? undefined : msIn(`/proc/self/task/${thread}/stat`);
}

function threadsOfThisProcess(): string[] {
  try {
    return readdirSync('/proc/self/task');
  } catch {
    return []; // not Linux
  }
}

function msIn(statPath: string): number | undefined {
  const stat = textOf(statPath);
  if (stat === undefined) return undefined;
  // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Undefined where there is no such file: it has ended, or the system has none. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** How many times its limit something may take by the clock before the machine, not it, has failed. */
const starvedFactor = 10;

export interface Limit {
  /** Of processor time, and of wall time where processor time is not known. */
  readonly limitMs: number;
  /** Processor time used by what is limited, since whenever. */
  readonly used: () => number | undefined;
  /** It had its time and did not end. */
  readonly onSpent: () => void;
  /** It waited for a processor for too long to go on waiting. */
  readonly onStarved: () => void;
}

/** Calls one of the two when the time has come; returns what calls it off. */
export function limitProcessorTime({ limitMs, used, onSpent, onStarved }: Limit): () => void {
  const [started, usedBefore] = [performance.now(), used()];
  const look = () => {
    const usedNow = used();
    const spent = usedNow === undefined || usedBefore === undefined ? performance.now() - started : usedNow - usedBefore;
    // Less than two ticks short is as good as spent.
    if (spent > limitMs - 2 * tickMs) onSpent();
    else if (performance.now() - started > limitMs * starvedFactor) onStarved();
    else timer = setTimeout(look, Math.max(tickMs, limitMs - spent));
  };
  let timer = setTimeout(look, limitMs);
  return () => clearTimeout(timer);
}
