/** @file What code may try against its box. Each test attacks one property, in both modes of users, and then asks the backend for 6 × 7. */
import { describe, expect, test } from 'vitest';
import type { ExecutionLimits, ExecutionResult } from '../../../core/rollout/types.ts';
import { describeWithDocker, dockerBackend } from '../dockerBackend.ts';

const signal = new AbortController().signal;
const limits: ExecutionLimits = { wallMs: 20_000, memoryMiB: 96, outputBytes: 4000 };

/** Name: code, and what its result must be. */
const refused: Readonly<Record<string, string>> = {
  'signal process 1': "import os, signal\ntry:\n    os.kill(1, signal.SIGKILL)\nexcept PermissionError: pass\nopen('/proc/1/stat').read()[:1]",
  'read the memory of process 1': "try:\n    open('/proc/1/mem', 'rb')\nexcept PermissionError: print('no')",
  'read the environment of process 1': "try:\n    open('/proc/1/environ').read()\nexcept PermissionError: print('no')",
  'write to the stream of process 1': "try:\n    open('/proc/1/fd/1', 'w')\nexcept PermissionError: print('no')",
  'follow a link out': "import os\nos.symlink('/proc/1/environ', '/tmp/l')\ntry:\n    open('/tmp/l').read()\nexcept PermissionError: print('no')",
  'become root': "import os\ntry:\n    os.setuid(0)\nexcept PermissionError: print('no')",
  'write to the root file system': "try:\n    open('/x', 'w')\nexcept OSError: print('no')",
  'reach a network': "import socket\ntry:\n    socket.create_connection(('169.254.169.254', 80), 1)\nexcept OSError: print('no')",
  'open a raw socket': "import socket\ntry:\n    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\nexcept PermissionError: print('no')",
  'open AF_VSOCK': "import socket\ntry:\n    socket.socket(40, 1)\nexcept PermissionError: print('no')",
};

const calls: Readonly<Record<string, number>> = {
  io_uring_setup: 425,
  ptrace: 101,
  bpf: 321,
  userfaultfd: 323,
  shmget: 29,
  keyctl: 250,
  unshare: 272,
  mount: 165,
  mq_open: 240,
};

const endings: Readonly<Record<string, { code: string; result: Partial<ExecutionResult> }>> = {
  'a loop that catches everything': { code: 'while True:\n    try:\n        while True: pass\n    except BaseException: pass', result: { timedOut: true } },
  'a fork bomb': { code: 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass', result: { timedOut: true } },
  'arithmetic in C': { code: '9 ** 9 ** 9', result: { timedOut: true } },
  'memory in pieces': { code: 'x = [bytes(1_000_000) for _ in range(1000)]', result: { outOfMemory: true } },
  'os._exit': { code: 'import os\nos._exit(0)', result: { exitCode: null, errorType: 'SystemExit' } },
  'a crash': { code: 'import ctypes\nctypes.string_at(0)', result: { exitCode: null, errorType: 'SystemError' } },
};

describeWithDocker('attacks on a box', () => {
  describe.each(['separate', 'shared'] as const)('with users %s', (userMode) => {
    const backend = dockerBackend({ userMode });

    async function attack(code: string, wallMs = limits.wallMs): Promise<ExecutionResult> {
      const result = await backend().run({ owner: 'attack', code, stdin: '', limits: { ...limits, wallMs }, signal });
      const next = await backend().run({ owner: 'attack', code: "import os\nprint(6 * 7, os.listdir('/tmp'))", stdin: '', limits, signal });
      expect(next).toMatchObject({ exitCode: 0, stdout: '42 []\n', stderr: '' });
      return result;
    }

    test.each(Object.entries(refused))('cannot %s', async (name, code) => {
      const result = await attack(code);
      expect(result).toMatchObject({ exitCode: 0, ...(name === 'signal process 1' ? { value: "'1'" } : { stdout: 'no\n' }) });
    });

    test.skipIf(process.arch !== 'x64').each(Object.entries(calls))('has no %s', async (_name, number) => {
      const code = `import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n(libc.syscall(${number}, 0, 0, 0, 0, 0), ctypes.get_errno())`;
      expect((await attack(code)).value).toMatch(/^\(-1, (1|38)\)$/);
    });

    test.each(Object.entries(endings))('is not stopped by %s', async (_name, { code, result }) => {
      expect(await attack(code, 'timedOut' in result ? 1000 : limits.wallMs)).toMatchObject(result);
    });

    test('leaves no file behind, however deep', async () => {
      const code = "import os\nos.chdir('/tmp')\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\nos.chmod('.', 0)";
      expect(await attack(code)).toMatchObject({ exitCode: 0 });
    });

    test('leaves no process behind', async () => {
      const code = 'import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(1000)\n    os._exit(0)';
      expect(await attack(code)).toMatchObject({ exitCode: 0 });
      const count = "import os\nlen([n for n in os.listdir('/proc') if n.isdigit()])";
      expect(Number((await attack(count)).value)).toBeLessThanOrEqual(4);
    });
  });
});
