/** @file The server's guard: starts the binary it is given and ends it as soon as its own parent is gone. `node workers/server.ts <binary> <arguments>`. */
import { spawn } from 'node:child_process';

const [binary, ...parameters] = process.argv.slice(2);
if (!binary || !process.send) throw new Error('workers/server.ts: expected a binary and an IPC channel: it is started by workers/temporal/devServer.ts');

const server = spawn(binary, parameters, { stdio: ['ignore', 'inherit', 'inherit'] });
server.on('spawn', () => process.send?.({ pid: server.pid }));
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
server.on('exit', (code) => process.exit(code ?? 1));

/** The database survives a kill; a polite end only keeps the log quiet. */
function end(): void {
  server.kill('SIGTERM');
  setTimeout(() => server.kill('SIGKILL'), 3000).unref();
}
process.on('disconnect', end);
process.on('SIGTERM', end);
process.on('SIGINT', end);
