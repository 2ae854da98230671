/** @file A worker that is busy in its sandboxes until somebody kills it: one cell loops in Python, one in C. */
import { EmbeddedBackend } from '../../activities/sandbox/embedded/backend.ts';

const backend = new EmbeddedBackend({ processes: 2 });
const signal = new AbortController().signal;
const limits = { wallMs: 600_000, memoryMiB: 96, outputBytes: 1000 };
const loops = ['while True: pass', '9 ** 9 ** 9'];
const sandboxes = await Promise.all(loops.map((_, index) => backend.open({ owner: `busy/r${index}`, setup: '', limits, signal })));
for (const [index, sandbox] of sandboxes.entries()) void sandbox.execute(loops[index] as string, signal);
setTimeout(() => process.stdout.write(`${JSON.stringify(backend.pids)}\n`), 300);
