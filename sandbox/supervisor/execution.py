"""Watches one piece of code from outside until it is done, dead or over a limit, and measures it."""

import json, os, select, signal, time
from channel import DONE, PIECE
from output import Output

CHUNK = 1 << 16
# Reads of each stream after the code has ended: more than a pipe holds. A stray that writes on is not waited for.
READS_AT_END = 32
# Between two looks at the CPU clock once the limit may have been reached.
CPU_LOOK_SECONDS = 0.02
REPORT_ROOM = 1 << 17
# A JSON string writes a byte as up to six.
JSON_GROWTH = 6


def memory_file(content):
    """A descriptor to read `content` from: no pipe has to be fed while the code runs."""
    fd = os.memfd_create("input", os.MFD_CLOEXEC)
    left = memoryview(content)
    while left:
        left = left[os.write(fd, left) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class Execution:
    """One run of code in the process `worker`. `run()` ends when `status` is known."""

    def __init__(self, box, request, worker):
        self._box, self._request, self._worker, self._limits = box, request, worker, request["limits"]
        kept = self._limits["outputBytes"], self._limits["tailBytes"]
        self.stdout, self.stderr = Output(*kept), Output(*kept)
        self.done, self.status, self.timeout_of, self.exit_code, self.signal = False, None, None, None, None
        self._report, self._report_limit = bytearray(), REPORT_ROOM + 2 * JSON_GROWTH * self._limits["outputBytes"]
        self._streams, self._at_end = {}, set()

    def run(self, job):
        """Sends the work and waits for its end. The code's process may still live when this returns; every other thing of the code's may, too."""
        self._ooms, self._cpu = self._box.counters.oom_kills.read() or 0, self._cpu_seconds()
        self._started = time.monotonic()
        self._send(job)
        self._watch()
        self._ended = time.monotonic()

    def _send(self, job):
        request, fds = self._request, []
        fds.append(memory_file(request["code"].encode("utf-8", "surrogatepass")))
        for output in (self.stdout, self.stderr):
            read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            os.set_blocking(write_end, True)
            self._streams[read_end] = output
            fds.append(write_end)
        # Without one the standard input stays the empty one that it is.
        if request["stdin"]:
            fds.append(memory_file(request["stdin"].encode("utf-8", "replace")))
        self._worker.channel.send({**job, "limits": self._limits}, fds)
        for fd in fds:
            os.close(fd)

    def _watch(self):
        box, worker, poll = self._box, self._worker, select.poll()
        sources = {box.host.fileno(): box.host.receive, box.processes.fileno(): box.processes.reap, worker.channel.fileno(): self._listen}
        for fd in (*sources, *self._streams):
            poll.register(fd, select.POLLIN)
        while True:
            for fd, _ in poll.poll(self._seconds_to_next_look() * 1000):
                if fd in sources:
                    sources[fd]()
                elif not self._read(fd):
                    poll.unregister(fd)
            if worker.channel.closed:
                poll.unregister(worker.channel.fileno())
                sources.pop(worker.channel.fileno())
                worker.channel.closed = False
            box.host.end_when_over()
            self._judge()
            if self.done or self.status is not None:
                return

    def _seconds_to_next_look(self):
        elapsed = time.monotonic() - self._started
        wall = self._limits["wallMs"] / 1e3 - elapsed
        # The box cannot have used more CPU time than its processors had.
        cpu = self._limits["cpuMs"] / 1e3 / self._box.cpus - elapsed
        return max(0.0, min(wall, max(cpu, CPU_LOOK_SECONDS), self._box.host.seconds_left()))

    def _read(self, fd):
        """False at the end of the stream."""
        try:
            content = os.read(fd, CHUNK)
        except BlockingIOError:
            return True
        if not content:
            self._at_end.add(fd)
            return False
        self._streams[fd].add(content)
        return True

    def _listen(self):
        while True:
            message, sender = self._worker.channel.receive()
            if message is None:
                return
            if sender != self._worker.pid:
                continue
            if message[:1] in (PIECE, DONE) and len(self._report) <= self._report_limit:
                self._report += message[1:]
            if message[:1] == DONE:
                self.done = True

    def _judge(self):
        """Whether a limit is reached. That the code is done counts first, then that it is dead, then what it may not exceed."""
        if self.done:
            return
        limits, box = self._limits, self._box
        elapsed = time.monotonic() - self._started
        if self._worker.pid in box.processes.ended:
            self._settle_death(box.processes.ended[self._worker.pid][0])
        elif self._request["id"] in box.host.cancelled:
            self.status = "cancelled"
        elif self.stdout.byte_length + self.stderr.byte_length > limits["killBytes"]:
            self.status = "outputLimit"
        elif elapsed * 1e3 >= limits["wallMs"]:
            self.status, self.timeout_of = "timeout", "wall"
        elif elapsed * box.cpus * 1e3 >= limits["cpuMs"] and self.cpu_ms() >= limits["cpuMs"]:
            self.status, self.timeout_of = "timeout", "cpu"

    def _settle_death(self, wait_status):
        # It may have reported and ended before anybody listened.
        self._listen()
        if self.done:
            return
        if os.WIFEXITED(wait_status):
            self.status, self.exit_code = "exit", os.WEXITSTATUS(wait_status)
            return
        number = os.WTERMSIG(wait_status)
        self.signal = signal.Signals(number).name if number in signal.Signals._value2member_map_ else f"signal {number}"
        self.status = "oom" if number == signal.SIGKILL and self.oom_kills() else "signal"
        if number == signal.SIGXCPU:
            self.status, self.timeout_of = "timeout", "cpu"

    def report(self):
        """What the process says of itself, or None: it is code's word, so that its form is checked like any stranger's."""
        if not self.done or len(self._report) > self._report_limit:
            return None
        try:
            report = json.loads(self._report)
        except (ValueError, RecursionError):
            return None
        return report if _is_report(report, self._limits["outputBytes"]) else None

    def drain(self):
        """Reads what the pipes still hold, and closes them."""
        for fd in self._streams:
            for _ in range(0 if fd in self._at_end else READS_AT_END):
                before = self._streams[fd].byte_length
                if not self._read(fd) or self._streams[fd].byte_length == before:
                    break
            os.close(fd)
        self._streams = {}

    def oom_kills(self):
        return max(0, (self._box.counters.oom_kills.read() or 0) - self._ooms)

    def cpu_ms(self):
        return max(0.0, (self._cpu_seconds() - self._cpu) * 1e3)

    def _cpu_seconds(self):
        """Of the whole box without this process; where the kernel does not say, of the processes that have ended."""
        whole = self._box.counters.cpu_ns.read()
        if whole is None:
            return sum(usage.ru_utime + usage.ru_stime for _, usage in self._box.processes.ended.values())
        return whole / 1e9 - time.process_time()

    def measured(self):
        return {
            "wallMs": round((self._ended - self._started) * 1e3, 3),
            "cpuMs": round(self.cpu_ms(), 3),
            "cleanupMs": round((time.monotonic() - self._ended) * 1e3, 3),
            "oomKills": self.oom_kills(),
        }


def _is_report(report, limit):
    def is_text(key, longest):
        return key not in report or (type(report[key]) is str and len(report[key]) <= longest)

    return (
        type(report) is dict
        and report.keys() <= {"exitCode", "value", "errorType", "traceback", "cut"}
        and type(report.get("exitCode")) is int
        and 0 <= report["exitCode"] <= 255
        and type(report.get("cut")) is bool
        and is_text("value", limit)
        and is_text("traceback", limit)
        and is_text("errorType", 200)
    )
