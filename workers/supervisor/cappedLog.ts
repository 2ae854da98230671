/** @file A log file with a bound: when it is full it becomes `<name>.1`, whose predecessor is dropped. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { turnwiseHome } from '../../activities/artifacts/paths.ts';

const capBytes = 10 * 1024 * 1024;

export function logPath(role: string): string {
  return join(turnwiseHome(), 'logs', `${role}.log`);
}

/** Answers with a function that appends. A disk that is full loses log lines, never a worker. */
export function openLog(role: string): (text: string) => void {
  const path = logPath(role);
  mkdirSync(dirname(path), { recursive: true });
  let size = sizeOf(path);
  return (text) => {
    try {
      if (size > capBytes) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      appendFileSync(path, text);
      size += Buffer.byteLength(text);
    } catch {
      size = sizeOf(path);
    }
  };
}

/** The last lines of a role's log, for messages. */
export function logTail(role: string, lines = 8): string {
  try {
    return readFileSync(logPath(role), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
