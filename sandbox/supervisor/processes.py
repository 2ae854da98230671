"""The processes of the box: their deaths, which the kernel reports to process 1 alone, and the end of those that should not be there."""

import os, select, signal, time
from host import ZYGOTE_GONE, end

SUPERVISOR = 1
# Killed processes are gone within milliseconds; a machine under load may take a while.
PATIENCE_SECONDS = 10.0
WAIT_SECONDS = 0.002


class Processes:
    def __init__(self, counters):
        self._count = counters.processes
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.zygote = None
        # Ended since the last forget(): process id → (wait status, resource usage).
        self.ended = {}

    def fileno(self):
        """Readable when a process has ended."""
        return self._woken

    def reap(self):
        try:
            while os.read(self._woken, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.zygote:
                end(ZYGOTE_GONE, "the process that all code descends from is gone")
            self.ended[pid] = (status, usage)

    def forget(self):
        self.ended.clear()

    def peak_memory(self, pid):
        """Largest resident set among the processes that have ended since forget(), and of `pid`."""
        if pid not in self.ended:
            try:
                with open(f"/proc/{pid}/status", "rb") as file:
                    own = [int(line.split()[1]) * 1024 for line in file if line.startswith(b"VmHWM:")]
            except (OSError, ValueError):
                own = []
        if pid in self.ended or not own:
            # On its way out it has no memory any more; the rest of its way is waited for.
            self.kill(pid)
            own = []
        return max(own + [usage.ru_maxrss * 1024 for _, usage in self.ended.values()], default=None)

    def others(self, known):
        """Living processes but this one, the zygote and the `known`. A zombie belongs to a parent that has stopped, and is as good as gone."""
        known = {SUPERVISOR, self.zygote, *known}
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid not in known and _is_living(pid)]

    def kill_others(self, running, stopped=()):
        """
        Kills all but the zygote, `running` and `stopped`; the latter stay stopped. One signal stops all at the same instant, so that whoever forks without end cannot
        fork on while it is counted. Answers how many there were.
        """
        known = {*running, *stopped}
        if self._are_all(known):
            return 0
        strays = self.others(known)
        if not strays:
            return 0
        most, over_at = len(strays), time.monotonic() + PATIENCE_SECONDS
        while strays:
            if time.monotonic() > over_at:
                end(ZYGOTE_GONE, f"{len(strays)} processes cannot be killed")
            _signal(-1, signal.SIGSTOP)
            strays = self.others(known)
            most = max(most, len(strays))
            for pid in strays:
                _signal(pid, signal.SIGKILL)
            select.select([self._woken], [], [], WAIT_SECONDS)
            self.reap()
            strays = self.others(known)
        for pid in (self.zygote, *running):
            _signal(pid, signal.SIGCONT)
        return most

    def _are_all(self, known):
        """
        True when the kernel counts no other process or thread than this one, the zygote and the `known`, of which each counts until it was waited for. Cheaper than a look
        at each, and false where that is needed.
        """
        return self._count.read() == 2 + sum(map(_exists, known))

    def kill(self, pid):
        """Kills one and waits for its end."""
        if pid in self.ended:
            return
        _signal(pid, signal.SIGKILL)
        over_at = time.monotonic() + PATIENCE_SECONDS
        while pid not in self.ended:
            if time.monotonic() > over_at or not _exists(pid):
                return
            select.select([self._woken], [], [], WAIT_SECONDS)
            self.reap()

    def stop(self, pid):
        _signal(pid, signal.SIGSTOP)

    def go_on(self, pid):
        _signal(pid, signal.SIGCONT)


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _is_living(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False
