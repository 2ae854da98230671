/** @file A worker that is busy in its boxes until somebody kills it: loops, sleeps, floods, forks without end. Its arguments: socket, image, silenceMs. */
import { DockerBackend } from '../../../activities/sandbox/docker/backend.ts';
import { engineOf } from '../../../activities/sandbox/docker/engine.ts';

const [address = '', image = '', silenceMs = ''] = process.argv.slice(2);
const signal = new AbortController().signal;
const limits = { wallMs: 600_000, memoryMiB: 96, outputBytes: 1000 };
const backend = new DockerBackend({
  engine: engineOf({ DOCKER_HOST: `unix://${address}` }),
  image,
  purpose: 'test',
  memoryBudgetBytes: 2 ** 31,
  spare: { count: 0, memoryMiB: limits.memoryMiB },
  lifetimes: { silenceMs: Number(silenceMs), lifetimeMs: 600_000 },
});
const busy = [
  'while True: pass',
  'while True:\n    try:\n        while True: pass\n    except BaseException: pass',
  '9 ** 9 ** 9',
  'import time\ntime.sleep(1000)',
  'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass',
  'import os, signal, time\nfor name in range(1, 32):\n    try: signal.signal(name, signal.SIG_IGN)\n    except OSError: pass\nos.setsid() if os.fork() == 0 else None\ntime.sleep(1000)',
  "import time\nfor _ in range(10**9):\n    print('x' * 100)\n    time.sleep(0.01)",
  "held = b'x' * 40_000_000\nwhile True: pass",
];
const sandboxes = await Promise.all(busy.map((_, index) => backend.open({ owner: `busy/r${index}`, setup: '', limits, signal })));
for (const [index, sandbox] of sandboxes.entries()) void sandbox.execute(busy[index] as string, signal).catch(() => undefined);
setTimeout(() => process.stdout.write(`${sandboxes.length} boxes are busy\n`), 300);
