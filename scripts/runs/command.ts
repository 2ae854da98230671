/** @file What every command does around its work: print errors as one message, set the exit code. */
import { Command } from 'commander';
import { type Interruption, listenForInterruption } from '../../workers/supervisor/interruption.ts';
import { type Processes, startProcesses, useProcesses } from '../../workers/supervisor/supervisor.ts';

/** A command as a person types it; a wrong argument says where the right ones are listed. */
export function commandNamed(name: string): Command {
  const typed = `npm run ${name}`;
  return new Command(`${typed} --`).showHelpAfterError(`(${typed} -- --help lists what it takes)`);
}

/** The planned work was done, failed, was refused by the gate, was cancelled, was done in part, or was left to be resumed. */
export const exitCodes = { done: 0, failed: 1, gated: 3, cancelled: 4, partial: 5, interrupted: 130 } as const;

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs the action; an error becomes its message (with its stack where TURNWISE_DEBUG is set) and exit code 1. */
export async function runCommand(action: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (error) {
    const { message, stack } = error as Error;
    process.stderr.write(`turnwise: ${process.env['TURNWISE_DEBUG'] ? stack : message}\n`);
    process.exitCode = exitCodes.failed;
  }
}

/** Where lines about the processes go. */
type Tell = (line: string) => void;

type Work = (processes: Processes, interruption: AbortSignal) => Promise<number>;

/** With server and workers: those of a turnwise that already runs here, or ones that live as long as this command. */
export function withProcesses(work: Work, tell: Tell = say): Promise<number> {
  return withProcessesFrom(useProcesses, work, tell);
}

/** The same, but a turnwise that already runs here is an error. */
export function withOwnProcesses(work: Work): Promise<number> {
  return withProcessesFrom(startProcesses, work, say);
}

async function withProcessesFrom(obtain: (tell: Tell, signal: AbortSignal) => Promise<Processes>, work: Work, tell: Tell): Promise<number> {
  let processes: Processes | undefined;
  const interruption: Interruption = listenForInterruption(() => processes?.kill());
  try {
    processes = await obtain(tell, interruption.signal);
    return interruption.signal.aborted ? exitCodes.interrupted : await work(processes, interruption.signal);
  } finally {
    await processes?.stop();
    interruption.dispose();
  }
}
