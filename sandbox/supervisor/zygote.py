"""The process that all code descends from. It has loaded what programs import, has never seen a request, and holds no descriptor of the host's."""

import gc, io, os, signal, sys, threading
import seccomp
from channel import receive, work_end
from kernel import PR_SET_NO_NEW_PRIVS, fork_sibling, prctl
from work import ENVIRONMENT, HIGHEST_FD, HOME, WORK_FD, Worker, new_stdin

# Imported before the first fork, so that an import of them in code costs nothing. What programs seldom import is left out: every page of it would be copied for all of them.
PRELOADED = """abc array ast base64 bisect builtins cmath collections collections.abc contextlib copy dataclasses datetime decimal enum fractions functools gc hashlib
heapq inspect io itertools json keyword linecache math numbers operator os queue random re reprlib statistics string struct sys textwrap threading time timeit
traceback types typing unicodedata warnings weakref"""
# A thread's stack counts as its process's memory from the beginning; the C library's default of 8 MiB would leave room for few.
THREAD_STACK_BYTES = 2 << 20


def preload(extra):
    """Answers the modules of `extra` that are here; those of the standard library may differ from version to version."""
    found = []
    for name in PRELOADED.split() + extra:
        try:
            __import__(name)
        except ImportError:
            continue
        if name in extra:
            found.append(name)
    return found


def zygote(end, own_modules, code_uid, filter):
    """Never returns. Forks a worker for every descriptor that it is sent."""
    requests_fd = WORK_FD + 1
    if end != requests_fd:
        os.dup2(end, requests_fd, inheritable=False)
    os.close(WORK_FD)
    os.closerange(requests_fd + 1, HIGHEST_FD)
    requests = work_end(requests_fd)
    prepare_signals()
    threading.stack_size(THREAD_STACK_BYTES)
    prepare_streams()
    os.environ.update(ENVIRONMENT)
    os.umask(0o077)
    os.chdir(HOME)
    # All that a worker inherits costs it nothing. The filter takes nothing away that a worker still has to do.
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(filter)
    worker = Worker(code_uid)
    for name in own_modules:
        sys.modules.pop(name, None)
    gc.collect()
    gc.freeze()
    while True:
        # The lowest number that is free is that of the worker's descriptor.
        receive(requests)
        if fork_sibling() == 0:
            os.close(requests_fd)
            try:
                worker.serve()
            finally:
                os._exit(70)
        os.close(WORK_FD)


def prepare_signals():
    """As every program finds them."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def prepare_streams():
    """The standard streams of code, made once: a child only puts its own pipes under them."""
    read_end, write_end = os.pipe()
    for target in (1, 2):
        os.dup2(write_end, target)
    os.close(read_end)
    os.close(write_end)
    sys.stdin = sys.__stdin__ = new_stdin()
    for name, target, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(target, "w", closefd=False)), "utf-8", errors, line_buffering=target == 2)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
