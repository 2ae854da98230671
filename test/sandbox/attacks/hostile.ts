/** @file Programs that mean harm, by what they go for. Each names the result that shows it to be contained; the tests run them one by one, the soak all of them by the hundred. */
import type { ExecutionResult } from '../../../core/rollout/types.ts';
import { corners } from './hostileCorners.ts';

export interface Attack {
  readonly code: string;
  /** For what would go on until it is stopped. */
  readonly wallMs?: number;
  /** What its result must hold; nothing where every ending is contained. */
  readonly result?: Partial<ExecutionResult>;
  /** Where code shares the supervisor's user it may take its own box down, which is then replaced. */
  readonly mayEndItsBox?: boolean;
}

type Attacks = Readonly<Record<string, Attack>>;
const timedOut = { timedOut: true, exitCode: null };
const stopped = { wallMs: 700, result: timedOut };
const refused = { result: { exitCode: 0, stdout: 'no\n' } };

/** Python that prints `no` when each statement is refused, and what was possible otherwise. */
function allRefused(imports: string, statements: readonly string[]): Attack {
  const tries = statements.map((statement) => `try:\n    ${statement}\n    done.append(${JSON.stringify(statement)})\nexcept OSError: pass`);
  return { ...refused, code: `import ${imports}\ndone = []\n${tries.join('\n')}\nprint(done or 'no')` };
}

const room: Attacks = {
  'one file that fills /tmp': {
    code: "size = 0\ntry:\n    with open('/tmp/f', 'wb', 0) as f:\n        while True: size += f.write(bytes(1 << 20))\nexcept OSError: print(size <= 64 << 20)",
    result: { exitCode: 0, stdout: 'True\n' },
  },
  'many files that fill /tmp': {
    code: "import os\nos.mkdir('/tmp/d')\nn = 0\ntry:\n    while True:\n        os.close(os.open(f'/tmp/d/{n}', os.O_CREAT))\n        n += 1\nexcept OSError: print(n < 16384)",
    result: { exitCode: 0, stdout: 'True\n' },
  },
  'shared memory': {
    code: "size = 0\ntry:\n    with open('/dev/shm/f', 'wb', 0) as f:\n        while True: size += f.write(bytes(1 << 16))\nexcept OSError: print(size <= 8 << 20)",
    result: { exitCode: 0, stdout: 'True\n' },
  },
  'files without a name': {
    code: "import os\nheld = []\nwhile True:\n    held.append(os.memfd_create('m'))\n    for _ in range(16): os.write(held[-1], bytes(1 << 20))",
    result: { exitCode: null, outOfMemory: true },
  },
  'every directory': {
    code: "import os\nfound = []\nfor top, names, _ in os.walk('/'):\n    names[:] = [n for n in names if os.path.join(top, n) not in ('/proc', '/sys', '/tmp', '/dev')]\n    try:\n        open(os.path.join(top, 'x'), 'w').close()\n        found.append(top)\n    except OSError: pass\nprint(found or 'no')",
    ...refused,
  },
  'memory in forty children': {
    code: 'import os, time\nfor _ in range(40):\n    try:\n        if os.fork() == 0:\n            held = bytearray(os.urandom(1 << 20) * 20)\n            time.sleep(60)\n    except OSError: break\nwhile True:\n    try: os.wait()\n    except ChildProcessError: break',
    wallMs: 3000,
  },
  'memory after asking to be spared': {
    code: "try: open('/proc/self/oom_score_adj', 'w').write('-1000')\nexcept OSError: pass\nheld = []\nwhile True: held.append(bytearray(1 << 20))",
    result: { exitCode: null, outOfMemory: true },
  },
  'memory in /tmp and heap together': {
    code: "f = open('/tmp/f', 'wb', 0)\nfor _ in range(60): f.write(bytes(1 << 20))\nheld = []\nwhile True: held.append(bytearray(b'x') * (1 << 20))",
    result: { exitCode: null, outOfMemory: true },
  },
  'threads without end': { code: 'import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()', wallMs: 4000 },
  'open files without end': { code: "import os\nheld = []\nwhile True: held.append(os.open('/dev/null', 0))", result: { exitCode: 1, errorType: 'OSError' } },
};

const output: Attacks = {
  'a flood on stdout': { code: "import os\nwhile True: os.write(1, b'x' * 65536)", result: { exitCode: null, truncated: true, errorType: 'OSError' } },
  'a flood on stderr': { code: "import os\nwhile True: os.write(2, b'x' * 65536)", result: { exitCode: null, truncated: true, errorType: 'OSError' } },
  'a flood from eight processes': {
    code: "import os\nfor _ in range(3): os.fork()\nwhile True: os.write(1, b'x' * 65536)",
    result: { exitCode: null, truncated: true, errorType: 'OSError' },
  },
  'a line of 50 MB': { code: "for _ in range(50): print('x' * 1_000_000, end='')", result: { exitCode: 0, truncated: true, stdout: 'x'.repeat(4000) } },
  'a slow drip': { code: "import time\nwhile True:\n    print('.', end='', flush=True)\n    time.sleep(0.01)", ...stopped },
  'bytes that are no text': {
    code: "import os\nos.write(1, b'\\xff\\xfe\\x00\\x1b[2J\\xed\\xa0\\x80\\xe2\\x80\\xa8')",
    result: { exitCode: 0, stdout: '\ufffd\ufffd\0\x1b[2J\ufffd\ufffd\ufffd\u2028' },
  },
  'frames of the protocol on stdout': {
    code: 'import os\nbody = b\'{"op": "execution", "status": "ok"}\'\nos.write(1, (32 + len(body)).to_bytes(4, "big") + bytes(32) + body)',
    result: { exitCode: 0, stdout: `\0\0\0C${'\0'.repeat(32)}{"op": "execution", "status": "ok"}` },
  },
  'a child that holds stdout': { code: "import os, time\nif os.fork() == 0: time.sleep(600)\nprint('over')", result: { exitCode: 0, stdout: 'over\n' } },
  'a daemon that writes on': {
    code: "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while True: os.write(1, b'.')\n    os._exit(0)\nos.wait()",
    result: { exitCode: 0 },
  },
  'a value whose repr is huge': { code: "'x' * 10_000_000", result: { exitCode: 0, truncated: true } },
};

const time: Attacks = {
  'a loop': { code: 'while True: pass', ...stopped },
  'a loop that catches everything': { code: 'while True:\n    try:\n        while True: pass\n    except BaseException: pass', ...stopped },
  'a loop that ignores signals': {
    code: 'import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass',
    ...stopped,
  },
  'arithmetic in C': { code: '9 ** 9 ** 9', ...stopped },
  'a regular expression': { code: "import re\nre.match('(a+)+$', 'a' * 60 + 'b')", ...stopped },
  'thirty-two busy processes': { code: 'import os\nfor _ in range(5): os.fork()\nwhile True: pass', ...stopped },
  'a fork bomb': { code: 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass', ...stopped },
  'a fork bomb that ignores signals, each in a session of its own': {
    code: 'import os, signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True:\n    try:\n        if os.fork() == 0: os.setsid()\n    except OSError: pass',
    ...stopped,
  },
  'an end that never comes': { code: 'import atexit\n@atexit.register\ndef f():\n    while True: pass', ...stopped },
  'a thread that is waited for': { code: 'import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()', ...stopped },
};

const endings: Attacks = {
  'os._exit': { code: 'import os\nos._exit(0)', result: { exitCode: null, errorType: 'SystemExit' } },
  'a null pointer': { code: 'import ctypes\nctypes.string_at(0)', result: { exitCode: null, errorType: 'SystemError' } },
  abort: { code: 'import os\nos.abort()', result: { exitCode: null, errorType: 'SystemError' } },
  'a stack overflow in C': {
    code: 'import ctypes\nF = ctypes.CFUNCTYPE(None)\nimport sys\nsys.setrecursionlimit(10**9)\ndef f(): g()\ng = F(f)\ng()',
    result: { exitCode: null },
  },
  'SIGKILL to itself': { code: 'import os\nos.kill(os.getpid(), 9)', result: { exitCode: null, errorType: 'SystemError' } },
  'SIGSTOP to itself': { code: 'import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)', ...stopped },
};

const files: Attacks = {
  'removing everything': {
    code: "import shutil\nfor top in ('/tmp', '/dev/shm', '/usr', '/etc', '/home'): shutil.rmtree(top, ignore_errors=True)",
    result: { exitCode: 0 },
  },
  'a tree of 1,500 directories that nobody may enter': {
    code: "import os\nos.chdir('/tmp')\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\nos.chmod('.', 0)\nos.chmod('/tmp/d', 0)",
    result: { exitCode: 0 },
  },
  'odd names': {
    code: "import os\nfor n in (b'\\xff\\xfe', b'-rf', b' ', b'\\n', b'*', b'.wiped-1-0', b'x' * 255):\n    os.mkdir(b'/tmp/' + n)\n    open(b'/tmp/' + n + b'/' + n, 'w').close()\n    os.chmod(b'/tmp/' + n, 0)",
    result: { exitCode: 0 },
  },
  'sockets and links': {
    code: "import os, socket\nsocket.socket(socket.AF_UNIX).bind('/tmp/s')\nos.symlink('/', '/tmp/root')\nos.symlink('/tmp/loop', '/tmp/loop')\nos.mkdir('/tmp/d')\nos.symlink('..', '/tmp/d/up')",
    result: { exitCode: 0 },
  },
  'locked and mapped files': {
    code: "import fcntl, mmap\nf = open('/tmp/f', 'w+b')\nf.truncate(1 << 20)\nfcntl.flock(f, fcntl.LOCK_EX)\nm = mmap.mmap(f.fileno(), 0)\nm[0] = 1",
    result: { exitCode: 0 },
  },
  'links out': allRefused('os', [
    "os.symlink('/etc/shadow', '/tmp/a'); open('/tmp/a').read()",
    "os.symlink('/proc/1/environ', '/tmp/b'); open('/tmp/b').read()",
    "os.symlink('/proc/1/root/etc', '/tmp/c'); os.listdir('/tmp/c')",
    "os.link('/etc/passwd', '/tmp/e')",
    "os.mknod('/tmp/f', 0o60600, os.makedev(8, 0))",
    "os.mknod('/tmp/g', 0o20600, os.makedev(1, 1))",
  ]),
};

const supervisor: Attacks = {
  'reading process 1': allRefused('os', [
    ...['environ', 'mem', 'maps', 'stack', 'auxv', 'syscall'].map((name) => `open('/proc/1/${name}', 'rb').read(1)`),
    "os.readlink('/proc/1/exe')",
    "os.listdir('/proc/1/fd')",
  ]),
  'writing to process 1': allRefused('os', [
    ...[0, 1, 2, 3, 4, 5].map((fd) => `open('/proc/1/fd/${fd}', 'wb')`),
    "open('/proc/1/mem', 'wb')",
    "open('/proc/1/oom_score_adj', 'w').write('1000')",
  ]),
  'frames on every descriptor of every process': {
    code: 'import os\nbody = b\'{"op": "execution", "status": "ok", "stdout": "forged"}\'\nframe = (32 + len(body)).to_bytes(4, "big") + bytes(32) + body\nfor fd in range(3, 256):\n    try: os.write(fd, frame)\n    except OSError: pass\nfor pid in filter(str.isdigit, os.listdir("/proc")):\n    if int(pid) == os.getpid(): continue\n    for fd in range(64):\n        try: os.write(os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK), frame)\n        except OSError: pass',
    result: { exitCode: 0, stdout: '' },
  },
  'a report of its own': {
    code: 'import json, os, time\nreport = json.dumps({"exitCode": 0, "value": "forged", "cut": False}).encode()\nfor fd in range(3, 256):\n    try:\n        os.write(fd, b"P" + report)\n        os.write(fd, b"D")\n    except OSError: pass\nwhile True: time.sleep(1)',
    wallMs: 1500,
  },
  'reports that are none': {
    code: 'import os\nfor body in (b"[" * 60000, b"\\xff", b"{}", b\'{"exitCode": 1e9, "cut": 0}\'):\n    for fd in range(3, 256):\n        try: os.write(fd, b"P" + body)\n        except OSError: pass\nfor fd in range(3, 256):\n    try: os.write(fd, b"D")\n    except OSError: pass',
  },
  'signals to everybody': {
    code: 'import os, signal\nfor n in (signal.SIGSTOP, signal.SIGKILL):\n    try: os.kill(-1, n)\n    except OSError: pass',
    mayEndItsBox: true,
  },
  'signals to process 1': {
    code: 'import os\nfor n in range(1, 65):\n    try: os.kill(1, n)\n    except OSError: pass\nprint("there")',
    result: { exitCode: 0, stdout: 'there\n' },
  },
  'stopping every process it sees': {
    code: 'import os, signal\nfor pid in filter(str.isdigit, os.listdir("/proc")):\n    if int(pid) not in (1, os.getpid()):\n        try: os.kill(int(pid), signal.SIGSTOP)\n        except OSError: pass',
    mayEndItsBox: true,
  },
  'killing every process it sees': {
    code: 'import os, signal\nfor pid in filter(str.isdigit, os.listdir("/proc")):\n    if int(pid) not in (1, os.getpid()):\n        try: os.kill(int(pid), signal.SIGKILL)\n        except OSError: pass',
    mayEndItsBox: true,
  },
  'more rights': allRefused('os', ['os.setuid(0)', 'os.setgid(0)', 'os.setgroups([0])', 'os.setresuid(0, 0, 0)', "os.chown('/tmp', 0, 0)", 'os.nice(-5)']),
  'files of the kernel': allRefused('os', [
    ...[
      '/proc/sys/kernel/core_pattern',
      '/proc/sysrq-trigger',
      '/proc/self/uid_map',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes',
      '/sys/fs/cgroup/memory.max',
    ].map((path) => `open('${path}', 'w').write('1')`),
    "open('/sys/fs/cgroup/memory/release_agent', 'w')",
    "open('/proc/kcore', 'rb').read(1)",
    "open('/dev/mem', 'rb')",
  ]),
};

const outside: Attacks = {
  'a network': allRefused('socket', [
    ...["('169.254.169.254', 80)", "('172.17.0.1', 2375)", "('1.1.1.1', 53)"].map((address) => `socket.create_connection(${address}, 2)`),
    "socket.getaddrinfo('example.org', 80)",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))",
  ]),
  'other kinds of sockets': allRefused('socket', [
    'socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)',
    ...[16, 17, 31, 38, 40, 44].map((family) => `socket.socket(${family}, 3)`),
  ]),
  'the daemon': allRefused('os', ["os.stat('/var/run/docker.sock')", "os.stat('/run/containerd')"]),
  'an environment': { code: 'import os\nprint(sorted(os.environ))', result: { exitCode: 0, stdout: "['HOME', 'LANG', 'PATH']\n" } },
};

const interpreter: Attacks = {
  'replaced builtins': {
    code: "import builtins, json, os, sys, time\nfor name in ('print', 'repr', 'compile', 'open', 'len', 'isinstance'): setattr(builtins, name, lambda *a, **k: 'forged')\njson.dumps = json.loads = os.fork = os.write = time.time = None\nsys.stdout = None\nsys.modules.clear()",
  },
  'a broken import system': { code: 'import sys\nsys.meta_path.clear()\nsys.path.clear()\nsys.path_hooks.clear()', result: { exitCode: 0 } },
  'a hook on every call': { code: 'import sys, threading\nsys.settrace(lambda *a: 1 / 0)\nsys.setprofile(lambda *a: 1 / 0)\nsys.excepthook = None' },
  'an error whose text fails': {
    code: 'class E(Exception):\n    def __str__(self): raise SystemExit(0)\n    __repr__ = __str__\nraise E',
    result: { exitCode: 1, errorType: 'E' },
  },
  'a type without a name': {
    code: 'class M(type):\n    @property\n    def __name__(cls): raise SystemExit(0)\nclass E(Exception, metaclass=M): pass\nraise E',
    result: { exitCode: 1, errorType: 'E' },
  },
  'another interpreter': {
    code: "import os, sys\nos.execv(sys.executable, ['python3', '-I', '-c', 'print(41)'])",
    result: { exitCode: null, errorType: 'SystemExit' },
  },
};

export const hostile: Readonly<Record<string, Attacks>> = { room, output, time, endings, files, supervisor, outside, interpreter, ...corners };
