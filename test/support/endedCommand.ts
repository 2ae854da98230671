/** @file A command as a person runs it, to its end. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

export interface EndedCommand {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param name of a file in scripts/. @param home its TURNWISE_HOME. */
export function endedCommand(name: string, args: readonly string[], home: string): Promise<EndedCommand> {
  return new Promise((ended) => {
    const options = { env: { ...process.env, TURNWISE_HOME: home }, timeout: 100_000 };
    const child = execFile(process.execPath, [resolve('scripts', `${name}.ts`), ...args], options, (_error, stdout, stderr) =>
      ended({ code: child.exitCode, stdout, stderr }),
    );
  });
}
