/** @file Hostile programs that use corners of the kernel and of the interpreter: most have no result that they must have, as long as the box is sound afterwards. */
import type { Attack } from './hostile.ts';

type Attacks = Readonly<Record<string, Attack>>;
const timedOut = { timedOut: true, exitCode: null };
const stopped = { wallMs: 700, result: timedOut };
const mayEndItsBox = true;

const memory: Attacks = {
  'mapped memory that is shared with children who go on': {
    code: 'import mmap, os, time\nm = mmap.mmap(-1, 8 << 20)\nfor _ in range(6):\n    if os.fork() == 0:\n        while True: m[0:1 << 20] = bytes(1 << 20)\ntime.sleep(0.2)',
    result: { exitCode: 0 },
  },
  'a mapped file that is cut under the mapping': {
    code: "import mmap, os\nf = open('/tmp/f', 'w+b')\nf.truncate(1 << 20)\nm = mmap.mmap(f.fileno(), 1 << 20)\nf.truncate(0)\nm[0]",
    result: { exitCode: null, errorType: 'SystemError' },
  },
  'a sparse file that claims to be huge': {
    code: "f = open('/tmp/f', 'wb')\ntry:\n    f.truncate(1 << 50)\n    print('grew')\nexcept OSError: print('no')",
    result: { exitCode: 0, stdout: 'no\n' },
  },
  'memory that may not be swapped, all of it': {
    code: 'import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nlibc.mlockall(7)\nheld = []\nwhile True: held.append(bytes(1 << 20))',
    result: { exitCode: null, outOfMemory: true },
  },
  'memory that may be executed': {
    code: 'import ctypes, mmap\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(bytes([0x0f, 0x0b]))\nctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()',
    result: { exitCode: null, errorType: 'SystemError' },
  },
  'the interpreter, overwritten': {
    code: 'import ctypes\nfor a in range(id(int), id(int) + 4096, 8): ctypes.c_long.from_address(a).value = 0x4141',
    result: { exitCode: null },
  },
  'recursion between C and Python': {
    code: 'import ctypes, sys\nsys.setrecursionlimit(1 << 30)\nback = ctypes.CFUNCTYPE(None)(lambda: back())\nback()',
    wallMs: 5000,
  },
  'recursion without a limit': { code: 'import sys\nsys.setrecursionlimit(1 << 30)\ndef f(): f()\nf()', wallMs: 5000 },
  'recursion in C': { code: 'x = None\nfor _ in range(10**6): x = [x]\nrepr(x)' },
  'a name of a gigabyte': { code: "open('/tmp/' + 'x' * (1 << 26))" },
};

const files: Attacks = {
  'names with newlines, control characters and bytes that are no text': {
    code: "import os\nfor n in (b'/tmp/a\\nb', b'/tmp/\\x1b[2J', b'/tmp/\\xff\\xfe', b'/tmp/-rf', b'/tmp/ ', b'/tmp/...', '/tmp/\\u202e'.encode()): os.mkdir(n); open(n + b'/f', 'w').close()",
    result: { exitCode: 0 },
  },
  'directories in directories, four thousand': { code: "import os\nfor _ in range(4000):\n    os.mkdir('d')\n    os.chdir('d')", result: { exitCode: 0 } },
  'every inode, in one directory that nobody may enter': {
    code: "import os\nos.mkdir('/tmp/d')\ntry:\n    for n in range(20000): os.link('/tmp/d/0', f'/tmp/d/{n}') if n else open('/tmp/d/0', 'w').close()\nexcept OSError: pass\nos.chmod('/tmp/d', 0)",
    result: { exitCode: 0 },
  },
  'links to the supervisor and to themselves': {
    code: "import os\nfor n, to in enumerate(('/proc/1/fd/1', '/proc/1/mem', '/proc/self', '/tmp', '/tmp/l5', '/tmp/l5', '/', '..', 'l7')): os.symlink(to, f'/tmp/l{n}')\nfor n in range(9):\n    try: open(f'/tmp/l{n}', 'r+b')\n    except OSError: continue\n    print(n)",
    result: { exitCode: 0, stdout: '' },
  },
  'a directory that is renamed all the time while it is wiped': {
    code: "import os\nif os.fork() == 0:\n    os.setsid()\n    os.mkdir('/tmp/a'); open('/tmp/a/f', 'w').close()\n    while True:\n        os.rename('/tmp/a', '/tmp/b'); os.rename('/tmp/b', '/tmp/a')\nimport time\ntime.sleep(0.1)",
    result: { exitCode: 0 },
  },
  'a file that is unlinked and kept open, as large as the disk': {
    code: "import os\nf = open('/tmp/f', 'wb', 0)\nos.unlink('/tmp/f')\ntry:\n    while True: f.write(bytes(1 << 20))\nexcept OSError: pass",
    result: { exitCode: 0 },
  },
  'pipes with names, and one who waits at each': {
    code: "import os\nfor n in range(20):\n    os.mkfifo(f'/tmp/p{n}')\n    if os.fork() == 0: open(f'/tmp/p{n}')",
    result: { exitCode: 1, errorType: 'PermissionError' },
  },
  'watches on everything': {
    code: "import ctypes, os\nlibc = ctypes.CDLL(None)\nfds = [libc.inotify_init() for _ in range(200)]\nfor fd in fds:\n    for d in (b'/', b'/proc', b'/tmp', b'/dev'): libc.inotify_add_watch(fd, d, 0xfff)",
    result: { exitCode: 0 },
  },
  'locks on what others read': {
    code: "import fcntl, os, sys\nfor p in (os.__file__, '/dev/null', '/'):\n    try: fcntl.flock(os.open(p, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)\n    except OSError: pass\nif os.fork() == 0:\n    while True: pass",
    result: { exitCode: 0 },
  },
};

const processes: Attacks = {
  'daemons of daemons': {
    code: 'import os, time\ndef go(n):\n    if n and os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0: go(n - 1); time.sleep(600)\n        os._exit(0)\ngo(8)\ntime.sleep(0.1)',
    result: { exitCode: 0 },
  },
  'children that are told to die with others, and do not': {
    code: 'import ctypes, os, signal, time\nif os.fork() == 0:\n    ctypes.CDLL(None).prctl(1, 0)\n    for s in range(1, 65):\n        try: signal.signal(s, signal.SIG_IGN)\n        except (OSError, ValueError): pass\n    while True: pass',
    result: { exitCode: 0 },
  },
  'a parent for orphans, who never waits for them': {
    code: 'import ctypes, os, time\nctypes.CDLL(None).prctl(36, 1)\nfor _ in range(20):\n    if os.fork() == 0:\n        if os.fork() == 0: os._exit(0)\n        os._exit(0)\ntime.sleep(0.3)',
    result: { exitCode: 0 },
  },
  'threads, as many as there is room for, that never end': {
    code: 'import threading, time\ntry:\n    while True: threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\nexcept RuntimeError: print("full")',
    result: { exitCode: 0, stdout: 'full\n' },
  },
  'threads that are waited for, for ever': { code: 'import threading\nthreading.Thread(target=threading.Event().wait).start()', ...stopped },
  'alarms, a thousand a second': {
    code: 'import signal\nsignal.signal(signal.SIGALRM, lambda *a: None)\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\nwhile True: pass',
    ...stopped,
  },
  'every signal to every process': {
    code: 'import os, signal\nfor pid in [-1, 1, *range(2, 40)]:\n    for s in range(1, 65):\n        if pid != os.getpid() and s not in (9, 19, 20, 21, 22) or pid in (1, 2):\n            try: os.kill(pid, s)\n            except OSError: pass',
    mayEndItsBox,
  },
  'signals with data, queued to process 1': {
    code: 'import ctypes, os\nlibc = ctypes.CDLL(None)\nfor s in range(1, 65):\n    for _ in range(500): libc.sigqueue(1, s, ctypes.c_void_p(0))',
    mayEndItsBox,
  },
  'a group and a session of its own, and the terminal': {
    code: 'import os\nfor act in (os.setsid, lambda: os.setpgid(0, 1), lambda: os.tcsetpgrp(0, os.getpid()), lambda: os.killpg(1, 9)):\n    try: act()\n    except OSError: pass\nprint("on")',
    mayEndItsBox,
  },
  'priorities and affinities': {
    code: 'import os\ntried = (lambda: os.nice(-20), lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99)), lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)), lambda: os.setpriority(os.PRIO_PROCESS, 1, 19), lambda: os.sched_setaffinity(1, {0}))\nfor n, act in enumerate(tried):\n    try: act(); print(n)\n    except OSError: pass',
  },
  'limits, taken away': {
    code: "import resource\nfor name in dir(resource):\n    if name.startswith('RLIMIT'):\n        try: resource.setrlimit(getattr(resource, name), (-1, -1)); print(name)\n        except (OSError, ValueError): pass\ntry:\n    resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0)); print('of process 1')\nexcept OSError: pass",
  },
  'a new program in its place that ignores everything': {
    code: "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'import signal, time\\nsignal.pthread_sigmask(0, range(1, 65))\\nwhile True: time.sleep(1)'])",
    ...stopped,
  },
};

const channels: Attacks = {
  'its descriptor to the supervisor, closed': { code: 'import os\nos.closerange(3, 256)\nprint(1)', result: { exitCode: null } },
  'its descriptor to the supervisor, put in the place of others': { code: 'import os\nfor fd in range(3): os.dup2(3, fd)\nprint("W" * 10)', mayEndItsBox },
  'reports of every kind and length': {
    code: "import os\nfor kind in (b'W', b'P', b'D', b'X', b'', b'\\0'):\n    for body in (b'', b'{}', b'[' * 60000, b'{\"exitCode\": 1e999, \"cut\": false}', b'\\xff' * 65535):\n        try: os.write(3, kind + body)\n        except OSError: pass",
  },
  'a report that never ends': { code: "import os\nwhile True: os.write(3, b'P' + b'x' * 60000)", wallMs: 1500, result: timedOut },
  'descriptors, sent to the supervisor by the thousand': {
    code: "import socket, array\ns = socket.socket(fileno=3)\nfor _ in range(2000):\n    try: s.sendmsg([b'P'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0, 1, 2] * 60))], socket.MSG_DONTWAIT)\n    except OSError: pass",
  },
  'a claim to be another process': {
    code: 'import socket, struct\ns = socket.socket(fileno=3)\nfor pid in (1, 2, 3):\n    try: s.sendmsg([b\'D{"exitCode": 0, "value": "forged", "cut": false}\'], [(socket.SOL_SOCKET, 2, struct.pack(\'iii\', pid, 0, 0))]); print(\'sent\')\n    except OSError: pass',
    mayEndItsBox,
  },
  'sockets without a file, by every name': {
    code: "import socket\nheld = []\nfor n in range(200):\n    s = socket.socket(socket.AF_UNIX)\n    s.bind(f'\\0turnwise-{n}'); s.listen(); held.append(s)",
    result: { exitCode: 0 },
  },
  'descriptors in flight that hold one another': {
    code: "import array, socket\nfor _ in range(300):\n    a, b = socket.socketpair()\n    try: a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [a.fileno(), b.fileno()]))])\n    except OSError: break",
    result: { exitCode: 0 },
  },
  'a flood of halves of characters': {
    code: "import os\nfor _ in range(4000):\n    os.write(1, b'\\xe2\\x82'); os.write(2, b'\\xf0\\x9f\\x98')",
    result: { exitCode: 0 },
  },
  'its output, made to block': {
    code: "import fcntl, os\nfcntl.fcntl(1, 1031, 4096)\nwhile True: os.write(1, b'x')",
    wallMs: 1500,
    result: { exitCode: null },
  },
};

const interpreter: Attacks = {
  'an end in the hook of the end': { code: "import atexit, os\natexit.register(os._exit, 0)\nprint('end')", result: { exitCode: null } },
  'an end that never comes': { code: 'import atexit\n@atexit.register\ndef end():\n    while True: pass', ...stopped },
  'hooks on every line, call and event': {
    code: 'import sys\ndef trace(*a): return trace\nsys.settrace(trace)\nsys.setprofile(trace)\nsys.addaudithook(lambda *a: 1 / 0)\nprint(1)',
  },
  'an audit hook that ends the process': { code: 'import os, sys\nsys.addaudithook(lambda *a: os._exit(0))\nopen("/dev/null")', result: { exitCode: null } },
  'callbacks of the garbage collector': { code: 'import gc\ngc.callbacks.append(lambda *a: [gc.collect() for _ in iter(int, 1)])\ngc.collect()', wallMs: 700 },
  'an exception that raises when it is shown': {
    code: 'class E(BaseException):\n    def __str__(self): raise self\n    __repr__ = __str__\nraise E',
    result: { exitCode: 1, errorType: 'E' },
  },
  'an exception whose causes form a circle': {
    code: 'a, b = ValueError(1), ValueError(2)\na.__cause__, b.__cause__ = b, a\nraise a',
    result: { exitCode: 1, errorType: 'ValueError' },
  },
  'a value whose text never ends': { code: 'class A:\n    def __repr__(self):\n        while True: pass\nA()', ...stopped },
  'a finder of modules that answers everything': {
    code: 'import sys\nsys.meta_path.insert(0, type("F", (), {"find_spec": staticmethod(lambda *a: sys.exit(3))}))\nsys.modules.clear()\nimport json',
  },
  'the functions that report, replaced in place': {
    code: 'import gc, types\nfor f in gc.get_objects():\n    if isinstance(f, types.FunctionType) and f.__code__.co_filename.startswith("<supervisor"): f.__code__ = (lambda *a, **k: 1 / 0).__code__.replace(co_freevars=f.__code__.co_freevars)',
  },
  'frames above its own': {
    code: 'import sys\nf = sys._getframe()\nwhile f:\n    for k, v in list(f.f_locals.items()):\n        if hasattr(v, "fileno"):\n            try: v.close()\n            except BaseException: pass\n    f = f.f_back\nprint("closed")',
  },
};

export const corners = {
  memory,
  'files, in corners': files,
  'processes, in corners': processes,
  channels,
  'the interpreter, in corners': interpreter,
};
