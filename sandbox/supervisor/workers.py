"""Processes that wait for work, as the supervisor sees them. They are forked ahead of time: a request finds one that is ready."""

import os, select, time
import channel
from channel import WAITING
from host import BROKEN, end

# On a machine under load a fork of a large heap may take seconds. Less than the host waits for an answer: it is to hear who is at fault.
PATIENCE_SECONDS = 5.0


class Worker:
    """One that has been asked for; its process id is known once it says that it waits."""

    def __init__(self, box, ask):
        """`ask(fd)` has somebody fork a process that serves `fd`; False when nobody can."""
        self._box = box
        self.pid, self._asked_at = None, time.monotonic()
        self.channel, fd = channel.pair()
        self.failed = not ask(fd)
        os.close(fd)

    def fileno(self):
        return self.channel.fileno()

    def listen(self):
        """Reads its first message, if there is one. True when it waits for work."""
        if self.pid is None and not self.failed:
            message, sender = self.channel.receive()
            if message == WAITING:
                self.pid = sender
            elif message is not None or self.channel.closed or time.monotonic() - self._asked_at > PATIENCE_SECONDS:
                self.failed = True
        return self.pid is not None

    def wait_until_ready(self):
        """False when it will never be."""
        while not self.listen() and not self.failed:
            select.select([self.channel, self._box.processes.fileno()], [], [], 0.5)
            self._box.processes.reap()
            self._box.host.end_when_over()
        return self.pid is not None

    def close(self):
        self.channel.close()


class Spare:
    """Always one worker of the zygote's, for the next run, session or work on files."""

    def __init__(self, box, zygote_channel):
        self._box, self._zygote = box, zygote_channel
        self._next = None

    def prepare(self):
        if self._next is None:
            self._next = Worker(self._box, lambda fd: self._zygote.send({}, [fd]))

    def take(self):
        self.prepare()
        worker, self._next = self._next, None
        if not worker.wait_until_ready():
            end(BROKEN, "no process can be forked any more")
        return worker

    def repair(self):
        """
        Where code runs as our own user it can stop or kill what it did not start: the box goes on with a worker that is there, or ends now and not under the next request.
        """
        processes = self._box.processes
        processes.go_on(processes.zygote)
        if self._next is not None and self._next.pid is not None:
            processes.go_on(self._next.pid)
            processes.reap()
            if self._next.pid in processes.ended:
                self._next.close()
                self._next = None
        self.prepare()
        if not self._next.wait_until_ready():
            end(BROKEN, "no process can be forked any more")

    @property
    def pids(self):
        if self._next is None:
            return ()
        # Its first message may not have been read yet, and it must not be taken for a stray.
        return (self._next.pid,) if self._next.wait_until_ready() else ()
