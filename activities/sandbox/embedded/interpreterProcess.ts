/**
 * @file Main thread of an interpreter process: moves frames between the sandbox worker (stdin, stdout) and the thread in which Python runs, and never blocks.
 * When stdin ends, the worker is gone, however it died, and so is this process at once.
 */
import { Worker } from 'node:worker_threads';
import { encodeFrame, FrameReader } from './frames.ts';
import type { Interrupt, Request } from './protocol.ts';

const interruptBuffer = new SharedArrayBuffer(4);
const interrupt = new Int32Array(interruptBuffer);
const thread = new Worker(new URL('interpreterThread.ts', import.meta.url), { env: {}, workerData: interruptBuffer, stdin: true, stdout: true, stderr: true });
const requests = new FrameReader();
let running: number | undefined;

function end(): never {
  process.kill(process.pid, 'SIGKILL');
  process.exit(1);
}

function receive(message: Request | Interrupt): void {
  if (message.op === 'interrupt') {
    if (message.id === running) Atomics.store(interrupt, 0, 1);
    return;
  }
  running = message.id;
  Atomics.store(interrupt, 0, 0);
  thread.postMessage(message);
}

process.stdin.on('data', (chunk: Buffer) => {
  try {
    for (const message of requests.push(chunk)) receive(message as Request | Interrupt);
  } catch {
    end();
  }
});
process.stdin.on('end', end);
process.stdin.on('error', end);
process.stdout.on('error', end);
thread.on('message', (answer: { readonly id?: number }) => {
  if (answer.id === running) running = undefined;
  process.stdout.write(encodeFrame(answer));
});
thread.on('error', (error) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, end);
});
