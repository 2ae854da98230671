/**
 * @file Proves on a live box that its limits hold on this machine. A daemon may accept a limit and not enforce it (rootless with cgroup v1, a kernel without the controller,
 * a runtime that ignores it), so each one is tried, and what the box reads from its kernel is compared with what was asked for.
 */
import type { Box } from './box.ts';
import type { BoxLimits, UserMode } from './containerOptions.ts';
import type { BoxFacts, Execution } from './protocol.ts';

export interface Proof {
  readonly limit: string;
  readonly holds: boolean;
  /** What was seen, in a few words. */
  readonly found: string;
}

interface Trial {
  readonly limit: string;
  readonly code: string;
  readonly wallMs?: number;
  readonly judge: (execution: Execution, expected: Expected) => Proof['found'] | Failure;
}

interface Expected {
  readonly limits: BoxLimits;
  readonly userMode: UserMode;
}

/** Seen, and not what was expected. */
class Failure {
  readonly found: string;

  constructor(found: string) {
    this.found = found;
  }
}

/** Wide enough that the limit under trial is the one that stops the code. */
const wide = { cpuMs: 20_000, outputBytes: 4096, tailBytes: 0, killBytes: 1_000_000, fileBytes: 2 ** 30, openFiles: 256 } as const;

const trials: readonly Trial[] = [
  {
    limit: 'memory',
    code: "pieces = []\nwhile True: pieces.append(bytearray(b'x' * 1_000_000))",
    judge: ({ status, oomKills }, { limits }) =>
      status === 'oom' && oomKills > 0
        ? `killed at ${limits.memoryBytes / 2 ** 20} MiB`
        : new Failure(`code that takes all memory ended as '${status}', not killed at its limit`),
  },
  {
    limit: 'processes',
    // Threads count as processes do; forks of an interpreter with large packages would meet the memory limit first.
    code: 'import threading, time\nthreading.stack_size(65536)\ncount = 0\ntry:\n    while count < 1000:\n        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\n        count += 1\nexcept (RuntimeError, OSError): pass\nprint(count)',
    judge: ({ stdout }, { limits }) => {
      const started = Number(stdout.head);
      return started > 0 && started < limits.processes
        ? `${started} more could be started, of ${limits.processes}`
        : new Failure(`${stdout.head.trim() || 'an unknown number of'} processes could be started`);
    },
  },
  {
    limit: 'processor',
    code: 'import os, time\nfor _ in range(3): os.fork()\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass',
    judge: ({ cpuMs, wallMs }, { limits }) => {
      const used = cpuMs / wallMs;
      const found = `8 busy processes used ${used.toFixed(2)} processors, of ${limits.cpus}`;
      return used <= limits.cpus * 1.35 + 0.1 ? found : new Failure(found);
    },
  },
  {
    limit: 'network',
    code: "import socket\nfor address in (('1.1.1.1', 53), ('172.17.0.1', 22), ('169.254.169.254', 80)):\n    s = socket.socket()\n    s.settimeout(0.5)\n    try:\n        s.connect(address)\n        print('reached', address)\n    except OSError as error: print(error.errno)",
    judge: ({ stdout }) => (stdout.head.trim() === '101\n101\n101' ? 'nothing can be reached' : new Failure(stdout.head.trim().replaceAll('\n', ', '))),
  },
  {
    limit: 'root file system',
    code: "import os\ndef left(path):\n    try:\n        os.close(os.open(path, os.O_WRONLY | os.O_CREAT))\n        return path\n    except OSError: return None\nprint(sorted(filter(None, map(left, ('/x', '/etc/x', '/usr/x', '/var/x', '/etc/passwd', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger')))))",
    judge: ({ stdout }) =>
      stdout.head.trim() === '[]' ? 'nothing can be written outside /tmp' : new Failure(`could be written: ${stdout.head.trim() || 'unknown'}`),
  },
  {
    limit: 'system calls',
    code: "import ctypes, platform\nlibc = ctypes.CDLL(None, use_errno=True)\nx = platform.machine() == 'x86_64'\ncalls = {'unshare': ((272, 97), (0x10000000,)), 'ptrace': ((101, 117), (0, 0, 0, 0)), 'io_uring_setup': ((425, 425), (1, 0)), 'keyctl': ((250, 219), (0, -3)), 'bpf': ((321, 280), (0, 0, 0)), 'mount': ((165, 40), (0, 0, 0, 0, 0))}\nopen_ones = []\nfor name, (numbers, arguments) in calls.items():\n    ctypes.set_errno(0)\n    if libc.syscall(numbers[0 if x else 1], *arguments) != -1 or ctypes.get_errno() not in (1, 38): open_ones.append(name)\nprint(open_ones)",
    judge: ({ stdout }) => (stdout.head.trim() === '[]' ? 'dangerous ones are refused' : new Failure(`allowed: ${stdout.head.trim() || 'unknown'}`)),
  },
  {
    limit: 'user',
    code: "import os\nbecame = 'no'\ntry:\n    os.setuid(0)\n    became = 'yes'\nexcept OSError: pass\nprint(os.getuid(), os.getgid(), became)",
    judge: ({ stdout }) =>
      /^10001 10001 no\n$/.test(stdout.head) ? 'code is not root and cannot become it' : new Failure(`uid, gid, became root: ${stdout.head.trim()}`),
  },
  {
    limit: 'time',
    code: 'while True:\n    try:\n        while True: pass\n    except BaseException: pass',
    wallMs: 300,
    judge: ({ status, wallMs }) =>
      status === 'timeout'
        ? `code that does not end was stopped after ${Math.round(wallMs)} of 300 ms`
        : new Failure(`code that does not end ended as '${status}'`),
  },
];

/** All limits of a box that runs nothing else; afterwards the box is to be ended. @throws SandboxBroken when the box itself fails. */
export async function proveLimits(box: Box, expected: Expected, signal: AbortSignal): Promise<Proof[]> {
  const proofs = factProofs(box.facts, expected);
  for (const trial of trials) proofs.push(await prove(box, trial, expected, signal));
  const sane = await run(box, 'print(6 * 7)', 10_000, expected, signal);
  proofs.push({
    limit: 'recovery',
    holds: sane.stdout.head === '42\n',
    found: sane.stdout.head === '42\n' ? 'the box works after all of these' : `6 * 7 is ${sane.stdout.head.trim() || sane.status}`,
  });
  return proofs;
}

async function prove(box: Box, { limit, code, wallMs = 15_000, judge }: Trial, expected: Expected, signal: AbortSignal): Promise<Proof> {
  const seen = judge(await run(box, code, wallMs, expected, signal), expected);
  return seen instanceof Failure ? { limit, holds: false, found: seen.found } : { limit, holds: true, found: seen };
}

function run(box: Box, code: string, wallMs: number, { limits }: Expected, signal: AbortSignal): Promise<Execution> {
  return box.perform({ op: 'run', code, stdin: '', limits: { ...wide, wallMs, memoryBytes: limits.memoryBytes * 16 }, filesIn: [], filesOut: [] }, signal);
}

/** What the kernel says about the box, against what was asked for. */
export function factProofs(facts: BoxFacts, { limits, userMode }: Expected): Proof[] {
  const allowed = userMode === 'separate' ? ['KILL', 'SETGID', 'SETUID'] : [];
  const excess = facts.capabilities.map((name) => name.replace(/^CAP_/i, '').toUpperCase()).filter((name) => !allowed.includes(name));
  const atMost = (value: number | null, limit: number) => value !== null && value <= limit;
  return [
    fact(
      'memory and swap',
      atMost(facts.memoryAndSwapBytes ?? facts.memoryBytes, limits.memoryBytes),
      `limit in force: ${facts.memoryAndSwapBytes ?? facts.memoryBytes ?? 'none'}`,
    ),
    fact('process limit', atMost(facts.processes, limits.processes), `limit in force: ${facts.processes ?? 'none'}`),
    fact('processor limit', atMost(facts.cpus, limits.cpus), `limit in force: ${facts.cpus ?? 'none'}`),
    fact(
      'temporary files',
      facts.temporaryBytes <= limits.tmpBytes && facts.temporaryFiles <= limits.tmpInodes,
      `${facts.temporaryBytes} bytes, ${facts.temporaryFiles} files`,
    ),
    fact(
      'interfaces',
      facts.networkInterfaces.every((name) => name === 'lo'),
      facts.networkInterfaces.join(', ') || 'none',
    ),
    fact('read-only root', facts.readOnlyRoot, facts.readOnlyRoot ? 'yes' : 'no'),
    fact(
      'privileges',
      facts.noNewPrivileges && excess.length === 0,
      excess.length === 0 ? `no new ones: ${facts.noNewPrivileges}` : `more than needed: ${excess.join(', ')}`,
    ),
    fact('filters', facts.daemonSeccomp && facts.codeSeccomp, `of the daemon: ${facts.daemonSeccomp}, of the supervisor: ${facts.codeSeccomp}`),
    fact('users', facts.codeUid !== 0 && (userMode === 'shared' || facts.codeUid !== facts.uid), `supervisor ${facts.uid}, code ${facts.codeUid}`),
  ];
}

function fact(limit: string, holds: boolean, found: string): Proof {
  return { limit, holds, found };
}
