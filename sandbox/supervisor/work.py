"""
The processes that run code. Each descends from the zygote, waits as root for its first work, and becomes the code's own user when that comes.
Whatever is done here after the fork touches pages that are copied then, which costs more than the doing: what all workers need alike, the zygote has done.
"""

import _thread, atexit, builtins, io, json, os, resource, sys, threading, types
import files
from cell import make_cell_runner
from channel import WAITING, receive, report, work_end
from kernel import PR_SET_DUMPABLE, fork_sibling, prctl
from repeatable import make_repeatable

HOME = "/tmp"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8"}
# First to go when the box runs out of memory: code, then the session that it runs in, then everything else.
OOM_SCORE_OF_CODE, OOM_SCORE_OF_SESSION = 900, 700
# The descriptor through which every process of code's gets its work; the standard ones are below it, and nothing is above it.
WORK_FD, HIGHEST_FD = 3, 4096
READ_SIZE = 1 << 20


class Worker:
    """What all workers have from the zygote: an interpreter as a program finds it, and what runs the program in it."""

    def __init__(self, code_uid):
        self.code_uid, self.changes_user = code_uid, os.getuid() != code_uid
        self.run = make_cell_runner(new_main())
        make_repeatable()
        self.buffers = tuple((stream.buffer, stream.buffer.raw) for stream in (sys.stdin, sys.stdout, sys.stderr))
        self.callbacks = atexit._ncallbacks()
        self.hard_limits = {which: resource.getrlimit(which)[1] for which in (resource.RLIMIT_DATA, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)}

    def serve(self):
        """Never returns."""
        end = work_end(WORK_FD)
        end.send(WAITING)
        job, fds = receive(end)
        self.become_code(job["limits"])
        role = job["role"]
        if role == "run":
            report(end, run_program(self.run, job, fds, self.callbacks))
        elif role == "cell":
            hold_session(end, self.run, self.buffers, job, fds)
        else:
            report(end, json.dumps(files.perform(HOME, content_of(fds[0]))).encode())
        os._exit(0)

    def become_code(self, limits):
        """What the zygote could not do for all: see there for the filter on system calls."""
        # Not a session, of which the kernel schedules each as a group of its own.
        os.setpgid(0, 0)
        hard_limits, restrict = self.hard_limits, resource.setrlimit
        for which, value in ((resource.RLIMIT_DATA, limits["memoryBytes"]), (resource.RLIMIT_FSIZE, limits["fileBytes"]), (resource.RLIMIT_NOFILE, limits["openFiles"])):
            hard = hard_limits[which]
            value = value if hard < 0 or value < hard else hard
            restrict(which, (value, value))
        # No process of the same user may look into this one or write to it: the kernel hides those that change their user, as the supervisor does itself.
        if self.changes_user:
            raise_oom_score()
            uid = self.code_uid
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        else:
            # Hidden, it could not reach its own files in /proc either.
            prctl(PR_SET_DUMPABLE, 1)
            raise_oom_score()
            prctl(PR_SET_DUMPABLE, 0)


def raise_oom_score():
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(fd, b"%d" % OOM_SCORE_OF_CODE)
    os.close(fd)


def new_main():
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = module
    sys.argv, sys.orig_argv = [""], ["python3"]
    return module.__dict__


def content_of(fd):
    """All of a file, which is closed."""
    content = piece = os.read(fd, READ_SIZE)
    while len(piece) == READ_SIZE:
        piece = os.read(fd, READ_SIZE)
        content += piece
    os.close(fd)
    return content


def connect(fds):
    """Makes the descriptors of a job the standard ones; answers its code."""
    code = content_of(fds[0])
    os.dup2(fds[1], 1)
    os.dup2(fds[2], 2)
    if len(fds) > 3:
        os.dup2(fds[3], 0)
    for fd in fds[1:]:
        os.close(fd)
    return code.decode("utf-8", "replace")


def new_stdin():
    return io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8", "replace")


def flush(attribute=getattr):
    """The program's streams before those that they may write to: theirs may be of any type, and gone."""
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        try:
            attribute(sys, name).flush()
        except BaseException:
            pass


def run_program(run, job, fds, callbacks):
    """Like a cell, and then like the end of a process: threads are waited for, and what the program wanted done at exit is done. `callbacks` were registered before it."""
    said = run(connect(fds), "<cell 1>", job["limits"]["outputBytes"])
    try:
        if _thread._count():
            threading._shutdown()
        if atexit._ncallbacks() > callbacks:
            atexit._run_exitfuncs()
    except BaseException:
        pass
    flush()
    return said


def hold_session(end, run, buffers, job, fds):
    """The head of a session. Asked for a cell it runs it; asked for a successor it forks one, which waits for the next cell in its place, so that this state stays as it is."""
    receive_from, fork, threads, nothing = receive, fork_sibling, _thread._count, os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    while True:
        if job["role"] == "successor":
            has_threads = threads() > 0
            pid = fork(has_threads)
            if pid == 0:
                if has_threads:
                    # One of them may have been writing, and would hold the lock of the stream for ever. This gives the same object a new one.
                    for buffer, raw in buffers:
                        try:
                            # One that code has closed stays closed, and can be given none.
                            if not raw.closed:
                                buffer.__init__(raw)
                        except BaseException:
                            pass
                # In the place of the head's own, which the child has no use for.
                os.dup2(fds[0], WORK_FD, inheritable=False)
                os.close(fds[0])
                end.send(WAITING)
                job, fds = receive_from(end)
                continue
            os.close(fds[0])
        else:
            code = connect(fds)
            if len(fds) > 3:
                sys.stdin = new_stdin()
            said = run(code, job["name"], job["limits"]["outputBytes"])
            flush()
            for target in (0, 1, 2):
                os.dup2(nothing, target)
            report(end, said)
        job, fds = receive_from(end)
