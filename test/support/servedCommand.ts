/** @file `npm run serve` as a person runs it, until it answers; then Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

export interface ServedCommand {
  readonly said: string;
  readonly code: number | null;
}

export async function servedCommand(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<ServedCommand> {
  const server = spawn(process.execPath, [resolve('scripts/serve.ts'), ...args, '--port', '0'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(server, 'close');
  let said = '';
  for await (const chunk of server.stdout) {
    said += String(chunk);
    if (said.includes('try it:')) server.kill('SIGINT');
  }
  await closed;
  return { said, code: server.exitCode };
}
