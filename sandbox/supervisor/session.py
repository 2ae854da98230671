"""
A session: its state is the memory of a process, the head. Each cell runs in a fork of the head. When the cell is done that fork becomes the head; when it is killed
the head is still there, as it was before the cell. The fork for the next cell is made right after a cell, while the host waits for the policy, and both are stopped until then:
code runs between the turns of a rollout for as long as that fork takes and no longer.
"""

from work import OOM_SCORE_OF_CODE, OOM_SCORE_OF_SESSION
from workers import Worker


class Session:
    def __init__(self, box, head, rollback):
        self._box, self.head, self.rollback = box, head, rollback
        # Committed, the setup counted.
        self.cells = 0
        self.successor = None
        self._replaced = None
        # Nothing of it runs.
        self.is_settled = True

    @property
    def pids(self):
        """Processes that belong to the session between cells."""
        return tuple(worker.pid for worker in (self.head, self.successor) if worker is not None and worker.pid is not None)

    def prepare(self):
        """Has the head fork the process of the next cell; in a session without rollback the head itself is it."""
        if self._replaced is not None:
            self._box.processes.kill(self._replaced.pid)
            self._replaced.close()
            self._replaced = None
        if self.rollback and self.successor is None:
            self._box.processes.go_on(self.head.pid)
            self.is_settled = False
            self.successor = Worker(self._box, lambda fd: self.head.channel.send({"role": "successor"}, [fd]))

    def settle(self):
        """Once the next cell's process is there, stops the session's and kills whatever else the head started meanwhile. True when that is done."""
        if self.is_settled:
            return True
        if self.successor is not None and not self.successor.listen() and not self.successor.failed:
            return False
        for pid in self.pids:
            self._box.processes.stop(pid)
        self._box.kill_strays(self.pids)
        self.is_settled = True
        return True

    def next_worker(self):
        """The process of the next cell, awake; None when the session is lost."""
        if not self.rollback:
            self._box.processes.go_on(self.head.pid)
            return self.head
        if self.successor is None:
            self.prepare()
        if not self.successor.wait_until_ready():
            return None
        self._box.processes.stop(self.head.pid)
        if self._box.code_has_own_user:
            _set_oom_score(self.successor.pid, OOM_SCORE_OF_CODE)
        self._box.processes.go_on(self.successor.pid)
        return self.successor

    def commit(self):
        """The process of the cell becomes the head. The old one, stopped, is ended by prepare()."""
        self.cells += 1
        if not self.rollback or self.successor is None:
            return
        self._replaced, self.head, self.successor = self.head, self.successor, None
        if self._box.code_has_own_user:
            _set_oom_score(self.head.pid, OOM_SCORE_OF_SESSION)

    def kept_when_killed(self):
        return (self.head.pid,) if self.rollback else ()

    def roll_back(self):
        """False when there is nothing to go back to: the head is dead too."""
        if not self.rollback:
            return False
        self.successor.close()
        self.successor = None
        return self.head.pid not in self._box.processes.ended

    def close(self):
        for worker in (self.head, self.successor):
            if worker is not None:
                worker.close()


def _set_oom_score(pid, score):
    """Its file belongs to root, because the process hides from those of its own user."""
    try:
        with open(f"/proc/{pid}/oom_score_adj", "w") as file:
            file.write(str(score))
    except OSError:
        pass
