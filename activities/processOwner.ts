/**
 * @file The process that something belongs to, a box of the sandbox or a lock on a file, as a text, and whether it still lives.
 * A pid says nothing by itself: it is read within one boot of one machine, within one pid namespace, and together with the process's start time.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { startTicks } from './startTicks.ts';

export interface Owner {
  readonly host: string;
  readonly bootId: string;
  /** Of /proc/self/ns/pid: workers in containers of one machine have pids of their own. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; pids are used again. */
  readonly startTicks: string;
}

export function ownerHere(pid = process.pid): Owner {
  return { host: hostname(), ...placeHere(), pid, startTicks: startTicks(pid) ?? 'unknown' };
}

export function formatOwner({ host, bootId, pidNamespace, pid, startTicks }: Owner): string {
  return [host, bootId, pidNamespace, pid, startTicks].join('/');
}

/** Undefined for a text that is none of ours. */
export function parseOwner(text: string | undefined): Owner | undefined {
  const parts = text?.split('/') ?? [];
  const [host, bootId, pidNamespace, pid, startTicks] = parts;
  if (parts.length !== 5 || !host || !bootId || !pidNamespace || !startTicks || !/^[1-9]\d*$/.test(pid ?? '')) return undefined;
  return { host, bootId, pidNamespace, pid: Number(pid), startTicks };
}

/** Only what can be looked up here is ever called gone: a process of this boot and this pid namespace that is not there any more. */
export function isProvablyGone(owner: Owner): boolean {
  const here = placeHere();
  if (here.bootId === unknown || owner.bootId !== here.bootId || owner.pidNamespace !== here.pidNamespace) return false;
  return owner.startTicks !== unknown && startTicks(owner.pid) !== owner.startTicks;
}

const unknown = 'unknown';

function placeHere(): Pick<Owner, 'bootId' | 'pidNamespace'> {
  return {
    bootId: orUnknown(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: orUnknown(() => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? unknown),
  };
}

function orUnknown(read: () => string): string {
  try {
    return read();
  } catch {
    return unknown; // no /proc: nothing can be proven here, and nothing is
  }
}
