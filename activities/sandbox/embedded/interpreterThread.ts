/** @file The thread of an interpreter process in which Python runs. It may be busy for ever; the process's main thread stays awake to end it. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { loadInterpreter } from './interpreter.ts';
import type { Answer, Ready, Request } from './protocol.ts';

const port = parentPort as MessagePort;
const interrupt = new Int32Array(workerData as SharedArrayBuffer);
const interpreter = await loadInterpreter(interrupt);

function answerTo(request: Request): Answer {
  switch (request.op) {
    case 'open':
      return { id: request.id, op: 'cell', ...interpreter.open(request.sandbox, request.setup, request) };
    case 'cell': {
      const answer = interpreter.cell(request.sandbox, request);
      return answer === undefined ? { id: request.id, op: 'unknown' } : { id: request.id, op: 'cell', ...answer };
    }
    case 'close':
      interpreter.close(request.sandbox);
      return { id: request.id, op: 'closed' };
  }
}

port.on('message', (request: Request) => port.postMessage(answerTo(request)));
port.postMessage({ op: 'ready' } satisfies Ready);
