/** @file Every hostile program, one a test, in both modes of users, against one box: afterwards that box, or the one that replaced it, answers 6 × 7 and holds nothing. */
import { describe, expect, test } from 'vitest';
import type { DockerBackend } from '../../../activities/sandbox/docker/backend.ts';
import { SandboxBroken } from '../../../activities/sandbox/sandbox.ts';
import type { ExecutionResult } from '../../../core/rollout/types.ts';
import { describeWithDocker, dockerBackend } from '../dockerBackend.ts';
import { limits, never } from '../openSandbox.ts';
import { type Attack, hostile } from './hostile.ts';

/** Room for one box: whatever runs next runs where the attack ran, unless that box had to be replaced. */
const memoryBudgetBytes = limits.memoryMiB * 2 ** 20;

/** Process 1, the zygote, the worker that runs this, and perhaps the next one. */
const processesOfABox = 4;
const lookAround = "import os\nprint(6 * 7, os.listdir('/tmp'), os.listdir('/dev/shm'), sum(map(str.isdigit, os.listdir('/proc'))))";

const run = (backend: DockerBackend, code: string, wallMs = limits.wallMs) =>
  backend.run({ owner: 'attack', code, stdin: '', limits: { ...limits, wallMs }, signal: never });

async function expectSound(backend: DockerBackend): Promise<void> {
  expect(await run(backend, 'print(6 * 7)')).toMatchObject({ exitCode: 0, stdout: '42\n', stderr: '', truncated: false });
  const { stdout } = await run(backend, lookAround);
  expect(stdout).toMatch(/^42 \[\] \[\] \d+\n$/);
  expect(Number(stdout.split(' ').at(-1))).toBeLessThanOrEqual(processesOfABox);
}

describeWithDocker('a box contains', () => {
  describe.each(['separate', 'shared'] as const)('with users %s,', (userMode) => {
    const backend = dockerBackend({ userMode, memoryBudgetBytes });

    async function attack({ code, wallMs, result, mayEndItsBox = false }: Attack): Promise<ExecutionResult | undefined> {
      const ended = await run(backend(), code, wallMs).catch((error: unknown) => {
        if (mayEndItsBox && userMode === 'shared' && error instanceof SandboxBroken) return undefined;
        throw error;
      });
      await expectSound(backend());
      if (result !== undefined) expect(ended).toMatchObject(result);
      return ended;
    }

    describe.each(Object.entries(hostile))('%s:', (_group, attacks) => {
      test.each(Object.entries(attacks))('%s', async (_name, program) => {
        await attack(program);
      });
    });

    test('the work of all processes together, by one processor', async () => {
      const ended = await attack({ code: 'import os\nfor _ in range(5): os.fork()\nwhile True: pass', wallMs: 1500 });
      // The kernel grants time by the tenth of a second.
      expect(ended?.details?.cpuMs).toBeLessThanOrEqual(1500 * 1.5);
    });

    test('children that outlive their parent: they are counted and gone', async () => {
      const ended = await attack({ code: 'import os, time\nfor _ in range(5):\n    if os.fork() == 0: time.sleep(600)' });
      expect(ended).toMatchObject({ exitCode: 0, details: { strayProcesses: 5 } });
    });

    test('children that use up the memory: the kernel ends them, not the box', async () => {
      const children =
        'import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n        held = b"x" * (20 << 20)\n        time.sleep(600)\nwhile True:\n    try: os.wait()\n    except ChildProcessError: break';
      expect((await attack({ code: children, wallMs: 3000 }))?.details?.oomKills).toBeGreaterThan(0);
    });

    test('clocks that code has changed: time is measured outside', async () => {
      const code =
        'import time\nreal = time.sleep\nfor name in ("time", "monotonic", "perf_counter", "sleep"): setattr(time, name, lambda *a: 0)\nreal(0.3)\ntime.monotonic()';
      const ended = await attack({ code, result: { exitCode: 0, value: '0' } });
      expect(ended?.durationMs).toBeGreaterThanOrEqual(300);
    });

    test('what other programs held: nothing of them is in the memory of the next', async () => {
      const secret = 'correct horse battery staple';
      for (let round = 0; round < 8; round += 1) {
        const stdin = `${secret} ${round}\n`.repeat(200);
        await backend().run({ owner: 'victim', code: `import sys\nheld = sys.stdin.read() * 3\n# ${secret}`, stdin, limits, signal: never });
      }
      const reversed = [...secret].reverse().join('');
      const scan = `import ctypes, re\nctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\nsought, found, seen = bytes(reversed(b'${reversed}')), 0, 0\nwith open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:\n    for line in maps.readlines():\n        start, end = (int(x, 16) for x in line.split()[0].split('-'))\n        if 'r' not in line.split()[1] or end >= 1 << 47: continue\n        try:\n            memory.seek(start)\n            content = memory.read(end - start)\n        except OSError: continue\n        seen += len(content)\n        found += content.count(sought)\n        del content\nprint(found, seen > 1 << 20)`;
      // One is the name that it is sought by.
      expect((await run(backend(), scan)).stdout).toMatch(/^[01] True\n$/);
    });

    test('what a program leaves: in the very next one, of another owner in the same box, nothing of it is there', async () => {
      const leave =
        "import mmap, os, socket, time\nfor d in ('/tmp', '/dev/shm'):\n    os.mkdir(d + '/left')\n    for n in (d + '/a', d + '/.b', d + '/left/c'): open(n, 'w').write('of owner A')\n    os.chmod(d + '/left', 0)\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0left')\ns.listen()\nos.set_inheritable(s.fileno(), True)\nif os.fork() == 0:\n    os.setsid()\n    for fd in (0, 1, 2): os.close(fd)\n    while True:\n        try: open('/tmp/again', 'w').close()\n        except OSError: pass\n        time.sleep(0.001)\nprint('left')";
      const look =
        "import os, socket\ndef listens():\n    try: socket.socket(socket.AF_UNIX).connect('\\0left')\n    except OSError: return False\n    return True\ndef session(pid):\n    try: return os.getsid(pid)\n    except OSError: return 0\nothers = [p for p in map(int, filter(str.isdigit, os.listdir('/proc'))) if p != 1 and session(p) == p]\nprint([os.listdir(d) for d in ('/tmp', '/dev/shm')], listens(), len(others))";
      const clean = (await run(backend(), look)).stdout;
      // The last: processes but the first one that lead a session, as the one that is left does and no process of the box's.
      expect(clean).toBe('[[], []] False 0\n');
      const boxes = new Set<string | undefined>();
      // As many as fit before the host asks for a reset of its own.
      for (let round = 0; round < 6; round += 1) {
        const left = await backend().run({ owner: 'A', code: leave, stdin: '', limits, signal: never });
        expect(left).toMatchObject({ stdout: 'left\n', details: { strayProcesses: 1 } });
        const found = await backend().run({ owner: 'B', code: look, stdin: '', limits, signal: never });
        expect(found).toMatchObject({ exitCode: 0, stdout: clean, stderr: '' });
        boxes.add(left.details?.box).add(found.details?.box);
      }
      expect(boxes.size).toBe(1);
    });

    test('limits, priorities and processors of other processes: the next program has what it had before', async () => {
      const conditions =
        "import os, resource\nnames = sorted(n for n in dir(resource) if n.startswith('RLIMIT_'))\nprint([resource.getrlimit(getattr(resource, n)) for n in names], os.sched_getaffinity(0), os.getpriority(0, 0), os.sched_getscheduler(0), os.umask(0), os.getcwd(), dict(os.environ))";
      const before = await run(backend(), conditions);
      expect(before).toMatchObject({ exitCode: 0, stderr: '' });
      const meddle =
        "import os, resource\nnames = [n for n in dir(resource) if n.startswith('RLIMIT_')]\ndef each(pid):\n    for n in names: yield lambda n=n: resource.prlimit(pid, getattr(resource, n), (1, 1))\n    yield lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)\n    yield lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19)\n    yield lambda: os.setpriority(os.PRIO_PGRP, pid, 19)\n    yield lambda: os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})\n    yield lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))\n    yield lambda: os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))\n    yield lambda: os.setpgid(pid, pid)\ndone = 0\nfor pid in range(1, 40):\n    if pid == os.getpid(): continue\n    for act in each(pid):\n        try: act(); done += 1\n        except OSError: pass\nimport ctypes\nlibc = ctypes.CDLL(None)\ndone += sum(libc.setpriority(which, who, 19) == 0 for which in (1, 2) for who in (0, os.getuid(), os.getpid()))\ndone += sum(libc.syscall(ioprio, which, 0, 3 << 13) == 0 for ioprio in (30 if os.uname().machine == 'aarch64' else 251,) for which in (2, 3))\nprint(done)";
      expect(await run(backend(), meddle)).toMatchObject({ exitCode: 0, stdout: '0\n' });
      expect((await run(backend(), conditions)).stdout).toBe(before.stdout);
      await expectSound(backend());
    });

    const calls = {
      ...{ io_uring_setup: 425, ptrace: 101, process_vm_readv: 310, process_vm_writev: 311, pidfd_getfd: 438, kcmp: 312, bpf: 321, userfaultfd: 323 },
      ...{ perf_event_open: 298, memfd_secret: 447, keyctl: 250, add_key: 248, request_key: 249, shmget: 29, semget: 64, msgget: 68, mq_open: 240 },
      ...{ unshare: 272, setns: 308, mount: 165, umount2: 166, pivot_root: 155, chroot: 161, open_tree: 428, fsopen: 430, move_mount: 429 },
      ...{ sendmsg: 46, sendmmsg: 307, inotify_init: 253, inotify_init1: 294 },
      ...{ reboot: 169, swapon: 167, init_module: 175, finit_module: 313, kexec_load: 246, acct: 163, quotactl: 179, sethostname: 170, settimeofday: 164 },
      ...{
        clock_settime: 227,
        iopl: 172,
        ioperm: 173,
        personality: 135,
        modify_ldt: 154,
        syslog: 103,
        fanotify_init: 300,
        open_by_handle_at: 304,
        clone3: 435,
      },
      ...{ 'a call that did not exist when the filter was made': 468 },
    };
    test.skipIf(process.arch !== 'x64').each(Object.entries(calls))('no system call %s', async (_name, number) => {
      const code = `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n(libc.syscall(${number}, 0, 0, 0, 0, 0), ctypes.get_errno())`;
      expect((await run(backend(), code)).value).toMatch(/^\(-1, (1|38)\)$/);
    });

    test.skipIf(process.arch !== 'x64')('no clone into a new namespace', async () => {
      const flags = [0x1000_0000, 0x2_0000, 0x2000_0000, 0x4000_0000, 0x0800_0000, 0x0400_0000, 0x0200_0000];
      const code = `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n[(libc.syscall(56, flag | 17, 0, 0, 0, 0), ctypes.get_errno()) for flag in [${flags}]]`;
      expect((await run(backend(), code)).value).toBe(`[${flags.map(() => '(-1, 1)').join(', ')}]`);
    });
  });
});
