/** @file Sessions share nothing, and the same cells give the same bytes whoever the neighbours are. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Sandbox } from '../../activities/sandbox/sandbox.ts';
import { never, onEachBackend, openSandbox, repeatablePart, runCells, useBackend } from './openSandbox.ts';

/** Everything that could differ: addresses, hashes, random numbers, the order of a set of objects. It looks at the clock, so that no sibling's answer is taken for it. */
const fingerprint =
  "import os, random, time, uuid\ntime.time()\nclass A: pass\n(repr(A()), hash('text'), id(A), random.random(), os.urandom(8).hex(), str(uuid.uuid4()), [f.__name__ for f in {print, len, sum, max, min, abs}])";

onEachBackend((backend) => {
  test('have names, modules and builtins of their own', async () => {
    const [one, two] = await Promise.all([openSandbox(backend()), openSandbox(backend())]);
    await one.execute("import sys, math, builtins\nname = 1\nmath.pi = 3\nbuiltins.sorted = None\nsys.modules['made_up'] = math\nsys.path.append('/x')", never);
    const seen = await two.execute("import sys, math\n('name' in globals(), math.pi > 3.1, sorted([2, 1]), 'made_up' in sys.modules, '/x' in sys.path)", never);
    expect(seen).toMatchObject({ value: '(False, True, [1, 2], False, False)' });
    expect(await one.execute('(name, math.pi)', never)).toMatchObject({ value: '(1, 3)' });
    await Promise.all([one.close(), two.close()]);
  });

  test('do not see what another left in memory', async () => {
    const marker = 'NEEDLE-IN-MEMORY';
    const one = await openSandbox(backend());
    await one.execute(`held = ['${marker}-' + str(i) for i in range(10000)]`, never);
    const search = `import gc\nsum(1 for o in gc.get_objects() if isinstance(o, list) and o and isinstance(o[0], str) and o[0].startswith('${marker.slice(0, 6)}' + '${marker.slice(6)}'))`;
    expect(await one.execute(search, never)).toMatchObject({ value: '1' });
    expect(await runCells(backend(), [search])).toMatchObject({ value: '0' });
    await one.close();
  });

  test('begin the same, to the address', async () => {
    const alone = await runCells(backend(), [fingerprint]);
    expect(alone.exitCode).toBe(0);
    const noisy = await openSandbox(backend());
    await noisy.execute("import random\nrandom.seed(5)\nnoise = [bytes(1000) for _ in range(20000)]\nopen('/lib/python314.zip', 'rb')", never);
    expect((await runCells(backend(), [fingerprint])).value).toBe(alone.value);
    await noisy.execute('del noise', never);
    expect((await runCells(backend(), [fingerprint])).value).toBe(alone.value);
    await noisy.close();
  });

  test('read the same however their cells are interleaved', async () => {
    const cells = ['x = 1', 'class B: pass\nx += 1', 'y = [B() for _ in range(5)]\ny', `z = x\n${fingerprint}`];
    const reference: unknown[] = [];
    const alone = await openSandbox(backend());
    for (const cell of cells) reference.push(repeatablePart(await alone.execute(cell, never)));
    await alone.close();
    const order = fc.shuffledSubarray([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], { minLength: 12 });
    await fc.assert(
      fc.asyncProperty(order, async (turns) => {
        const sandboxes = await Promise.all([0, 1, 2].map(() => openSandbox(backend())));
        const results: unknown[][] = [[], [], []];
        for (const index of turns) {
          const mine = results[index] as unknown[];
          mine.push(repeatablePart(await (sandboxes[index] as Sandbox).execute(cells[mine.length] as string, never)));
        }
        await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
        expect(results).toEqual([reference, reference, reference]);
      }),
      { numRuns: 5 },
    );
  });

  test('that begin with the same cells are apart afterwards', async () => {
    const sandboxes = await Promise.all([0, 1, 2].map(() => openSandbox(backend(), 'log = []')));
    const [one, two, three] = sandboxes as [Sandbox, Sandbox, Sandbox];
    const first = 'import random\nlog.append(random.random())\nprint(len(log))\n(id(log), log)';
    const begun = [];
    for (const sandbox of sandboxes) begun.push(repeatablePart(await sandbox.execute(first, never)));
    expect(begun[0]).toMatchObject({ exitCode: 0, stdout: '1\n' });
    expect(begun).toEqual([begun[0], begun[0], begun[0]]);
    await one.execute("log.append('one')", never);
    await two.execute("log.append('two')", never);
    expect((await one.execute('log[1:]', never)).value).toBe("['one']");
    expect((await two.execute('log[1:]', never)).value).toBe("['two']");
    expect((await three.execute('log[1:]', never)).value).toBe('[]');
    await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
  });

  test('look at the clock themselves, whatever a sibling saw', async () => {
    const read = 'import time\ntime.time_ns()';
    const [one, two] = await Promise.all([openSandbox(backend()), openSandbox(backend())]);
    const earlier = BigInt((await one.execute(read, never)).value as string);
    await sleep(5);
    const later = BigInt((await two.execute(read, never)).value as string);
    expect(Number(later - earlier)).toBeGreaterThanOrEqual(5_000_000);
    await Promise.all([one.close(), two.close()]);
  });

  test('of a memory-hungry neighbour keep their own limit', async () => {
    const hungry = await openSandbox(backend(), '', { memoryMiB: 96 });
    expect(await hungry.execute('held = bytes(40_000_000)', never)).toMatchObject({ exitCode: 0 });
    const result = await runCells(backend(), ['[bytes(1_000_000) for _ in range(200)]'], { memoryMiB: 96 });
    expect(result).toMatchObject({ outOfMemory: true });
    expect(await hungry.execute('len(held)', never)).toMatchObject({ value: '40000000' });
    await hungry.close();
  });
});

describe('sessions of one interpreter process', () => {
  const backend = useBackend(1);

  test('read a file themselves, whatever a sibling read', async () => {
    const open = "file = open('/lib/python314.zip', 'rb')\nfile.read(2)";
    const [one, two] = await Promise.all([openSandbox(backend()), openSandbox(backend())]);
    for (const sandbox of [one, two]) expect(await sandbox.execute(open, never)).toMatchObject({ value: "b'PK'" });
    for (const sandbox of [one, two]) expect(await sandbox.execute('file.tell()', never)).toMatchObject({ value: '2' });
    await Promise.all([one.close(), two.close()]);
  });

  test('survive the death of the process: replayed, they are the same to the address', async () => {
    const sandbox = await openSandbox(backend(), 'def tool(n):\n    return n + 1');
    await sandbox.execute('import random\nvalues = [tool(1), random.random()]', never);
    const reference = await openSandbox(backend(), 'def tool(n):\n    return n + 1');
    await reference.execute('import random\nvalues = [tool(1), random.random()]', never);
    const expected = await reference.execute('values.append(tool(2))\n(values, id(values), random.random())', never);
    const [pid] = backend().pids;
    process.kill(pid as number, 'SIGKILL');
    await vi.waitUntil(() => !backend().pids.includes(pid as number), { timeout: 30_000 });
    const after = await sandbox.execute('values.append(tool(2))\n(values, id(values), random.random())', never);
    expect(after.value).toBe(expected.value);
    await Promise.all([sandbox.close(), reference.close()]);
  });
});
