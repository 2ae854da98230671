/** @file When a process of this machine began: with its pid, what names it, because pids are used again. */
import { readFileSync } from 'node:fs';

/** Clock ticks from boot to the start of the process: field 22 of /proc/<pid>/stat. Undefined for a process that is not there, and for a zombie. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
