"""The few system calls that Python's library lacks."""

import ctypes, os

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_READ, PR_SET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS = 4, 22, 23, 38, 40
ADDR_NO_RANDOMIZE, CURRENT_PERSONALITY = 0x0040000, 0xFFFFFFFF
CLONE_PARENT, CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, SIGCHLD = 0x8000, 0x200000, 0x1000000, 17
CLONE_NUMBER = {"x86_64": 56, "aarch64": 220}[os.uname().machine]

# PyDLL keeps the interpreter's lock: between the two halves of a fork no other thread may run.
_libc = ctypes.PyDLL(None, use_errno=True)
_clone = _libc.syscall
_clone.argtypes, _clone.restype = [ctypes.c_long] * 6, ctypes.c_long
_before_fork, _after_in_parent, _after_in_child = (
    getattr(ctypes.pythonapi, name) for name in ("PyOS_BeforeFork", "PyOS_AfterFork_Parent", "PyOS_AfterFork_Child")
)


def prctl(option, *values):
    values = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in values]
    result = _libc.prctl(option, *values, *[ctypes.c_ulong(0)] * (4 - len(values)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def personality(value):
    result = _libc.personality(ctypes.c_ulong(value))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _thread_id_address():
    """Where the C library keeps the calling thread's id, so that the child gets its own there as after fork(3)."""
    address = ctypes.c_void_p()
    try:
        prctl(PR_GET_TID_ADDRESS, ctypes.byref(address))
    except OSError:
        return 0
    return address.value or 0


# Of the thread that forks, which is the first in every process that descends from this one.
_thread_id = _thread_id_address()
_fork_flags = CLONE_PARENT | SIGCHLD | (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID if _thread_id else 0)


def fork_sibling(has_threads=False):
    """
    A fork whose child is the caller's parent's: process 1 learns from the kernel, not from an untrusted parent, how every process ended. Returns 0 in the child.
    The interpreter's own work around a fork, which puts right what other threads held and touches a hundred pages, is done only where there are such threads.
    """
    if has_threads:
        _before_fork()
    # The last two are (child's thread id, thread-local storage) or the reverse, depending on the architecture; the latter is not used.
    pid = _clone(CLONE_NUMBER, _fork_flags, 0, 0, _thread_id, _thread_id)
    error = ctypes.get_errno() if pid < 0 else 0
    if has_threads:
        (_after_in_parent if pid else _after_in_child)()
    if error:
        raise OSError(error, os.strerror(error))
    return pid
