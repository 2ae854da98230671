"""The processes that run code. Each descends from the zygote, waits as root for its first work, and becomes the code's own user when that comes."""

import _thread, atexit, builtins, gc, io, json, os, resource, sys, threading, types
import files
from cell import make_cell_runner
from channel import WorkEnd
from kernel import PR_SET_DUMPABLE, fork_sibling, prctl
from repeatable import make_repeatable

HOME = "/tmp"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8"}
# First to go when the box runs out of memory: code, then the session that it runs in, then everything else.
OOM_SCORE_OF_CODE, OOM_SCORE_OF_SESSION = 900, 700
HIGHEST_FD = 4096


def serve(fd, code_uid):
    """Never returns."""
    callbacks = atexit._ncallbacks()
    work = WorkEnd(fd)
    job, fds = work.wait()
    become_code(job["limits"], code_uid, [fd, *fds])
    if job["role"] == "files":
        work.report(json.dumps(files.perform(HOME, take(fds[0]))).encode())
        os._exit(0)
    main = new_main()
    make_repeatable()
    gc.enable()
    run = make_cell_runner(main)
    if job["role"] == "run":
        work.report(run_program(run, job, fds, callbacks))
        os._exit(0)
    hold_session(work, run, job, fds)


def become_code(limits, code_uid, kept):
    """What the zygote could not do for all: see there for the filter on system calls."""
    # Not a session, of which the kernel schedules each as a group of its own.
    os.setpgid(0, 0)
    close_all_but(kept)
    restrict(limits)
    # No process of the same user may look into this one or write to it: the kernel hides those that change their user, as the supervisor does itself.
    if os.getuid() != code_uid:
        raise_oom_score()
        os.setgroups([])
        os.setresgid(code_uid, code_uid, code_uid)
        os.setresuid(code_uid, code_uid, code_uid)
    else:
        # Hidden, it could not reach its own files in /proc either.
        prctl(PR_SET_DUMPABLE, 1)
        raise_oom_score()
        prctl(PR_SET_DUMPABLE, 0)


def close_all_but(kept):
    last = 2
    for fd in sorted(kept):
        os.closerange(last + 1, fd)
        last = fd
    os.closerange(last + 1, HIGHEST_FD)


def restrict(limits):
    for which, value in (
        (resource.RLIMIT_DATA, limits["memoryBytes"]),
        (resource.RLIMIT_FSIZE, limits["fileBytes"]),
        (resource.RLIMIT_NOFILE, limits["openFiles"]),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def raise_oom_score():
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    try:
        os.write(fd, str(OOM_SCORE_OF_CODE).encode())
    finally:
        os.close(fd)


def new_main():
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    sys.argv, sys.orig_argv = [""], ["python3"]
    return module.__dict__


def take(fd):
    """The whole content of a file descriptor, which is closed."""
    with open(fd, "rb") as file:
        return file.read()


def connect(job, fds):
    """Makes the descriptors of a job the standard ones; answers its code."""
    code = take(fds[0]).decode("utf-8", "replace")
    for source, target in zip(fds[1:], (0, 1, 2)):
        os.dup2(source, target)
        os.close(source)
    if job["hasStdin"]:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8", "replace")
    return code


def flush():
    for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
        try:
            stream.flush()
        except BaseException:
            pass


def run_program(run, job, fds, callbacks):
    """Like a cell, and then like the end of a process: threads are waited for, and what the program wanted done at exit is done. `callbacks` were registered before it."""
    code = connect(job, fds)
    report = run(code, "<cell 1>", job["limits"]["outputBytes"])
    try:
        if _thread._count():
            threading._shutdown()
        if atexit._ncallbacks() > callbacks:
            atexit._run_exitfuncs()
    except BaseException:
        pass
    flush()
    return json.dumps(report).encode()


def hold_session(work, run, job, fds):
    """The head of a session. Asked for a cell it runs it; asked for a successor it forks one, which waits for the next cell in its place, so that this state stays as it is."""
    dumps, receive_from, fork, threads, nothing = json.dumps, WorkEnd.receive, fork_sibling, _thread._count, os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    while True:
        if job["role"] == "successor":
            pid = fork(has_threads=threads() > 0)
            if pid == 0:
                work.close()
                work = WorkEnd(fds[0])
                job, fds = work.wait()
                continue
            os.close(fds[0])
        else:
            code = connect(job, fds)
            report = run(code, job["name"], job["limits"]["outputBytes"])
            flush()
            for target in (0, 1, 2):
                os.dup2(nothing, target)
            work.report(dumps(report).encode())
        job, fds = receive_from(work)
