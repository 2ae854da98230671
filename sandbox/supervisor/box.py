"""What the host may ask of a box, one thing at a time."""

import base64, json, os, select, time
import files
from channel import DONE
from execution import Execution, memory_file
from host import BROKEN, end
from session import Session
from workers import Spare

CODE_LIMIT, STDIN_LIMIT, OUTPUT_LIMIT, FILES_LIMIT, FILES = 1 << 20, 8 << 20, 1 << 20, 16 << 20, 256
LIMIT_NAMES = {"cpuMs", "wallMs", "memoryBytes", "outputBytes", "tailBytes", "killBytes", "fileBytes", "openFiles"}
# For work on files, which is ours.
FILE_WORK_LIMITS = {"memoryBytes": 256 << 20, "fileBytes": 64 << 20, "openFiles": 64}
FILE_WORK_SECONDS = 20.0


class Refused(Exception):
    """Not done; its text says why."""


class Box:
    def __init__(self, host, processes, counters, zygote_channel, facts):
        self.host, self.processes, self.counters, self._facts = host, processes, counters, facts
        self.cpus = facts["cpus"] or float(os.cpu_count() or 1)
        self.code_has_own_user = facts["uid"] != facts["codeUid"]
        self._spare, self._session = Spare(self, zygote_channel), None
        # Of a run that has been answered: its process is ended while the host reads.
        self._leftover = None

    def serve(self):
        """Never returns: the process ends when the host does."""
        while True:
            request = self.host.next_request()
            if request is None:
                self._wait()
                continue
            self.host.running = True
            self.processes.reap()
            self.processes.forget()
            try:
                answer = self._perform(request)
            except Refused as refusal:
                answer = {"op": "refused", "reason": str(refusal)}
            self.host.running = False
            self.host.cancelled.clear()
            self.host.answer(request["id"], **answer)
            self._prepare()

    def _perform(self, request):
        op = request["op"]
        if op == "hello":
            self.host.begin(base64.b64decode(request["key"]), request["silenceMs"], request["lifetimeMs"])
            return {"op": "ready", "facts": self._facts}
        if op == "reset":
            return self._reset()
        if op not in ("run", "open", "execute"):
            raise Refused(f"expected an operation of the protocol, got {op!r}")
        _check(request)
        return {"run": self._run, "open": self._open, "execute": self._execute}[op](request)

    def _wait(self):
        """Until something happens; meanwhile the next cell's process gets ready and is stopped."""
        waiting = [self.host, self.processes]
        settled = self._session is None or self._session.settle()
        if not settled:
            waiting.append(self._session.successor)
        ready, _, _ = select.select(waiting, [], [], min(self.host.seconds_left(), 60.0 if settled else 0.5))
        self.host.end_when_over()
        if self.processes in ready:
            self.processes.reap()
        if self.host in ready:
            self.host.receive()

    def _prepare(self):
        """After an answer, while the host is busy with it: what the next request will need."""
        if self._leftover is not None:
            self._end_run()
        if self._session is not None:
            self._session.prepare()
        self._spare.prepare()

    # Runs

    def _run(self, request):
        if self._session is not None:
            raise Refused("run: expected no open session, there is one; reset first")
        self._put(request["filesIn"])
        worker = self._spare.take()
        execution = Execution(self, request, worker)
        execution.run({"role": "run"})
        answer = self._answer(execution, worker, "ended", request["filesOut"])
        self._leftover = worker
        return answer

    def _end_run(self):
        worker, self._leftover = self._leftover, None
        self.processes.kill(worker.pid)
        worker.close()
        self.kill_strays(())
        if self._wipe() != 0:
            end(BROKEN, "files of a run cannot be removed")

    # Sessions

    def _open(self, request):
        if self._session is not None:
            raise Refused("open: expected no open session, there is one; reset first")
        worker = self._spare.take()
        execution = Execution(self, request, worker)
        execution.run({"role": "cell", "name": "<cell 0>"})
        self._session = Session(self, worker, request["rollback"])
        report = execution.report()
        alive = report is not None and report.get("errorType") is None
        return self._answer(execution, worker, "committed" if alive else "lost", [])

    def _execute(self, request):
        session = self._session
        if session is None:
            raise Refused("execute: expected an open session, there is none; open one")
        self._put(request["filesIn"])
        worker = session.next_worker()
        if worker is None:
            self._lose_session()
            raise Refused("execute: the session is lost; open another and run its cells again")
        execution = Execution(self, request, worker)
        execution.run({"role": "cell", "name": f"<cell {session.cells}>"})
        report = execution.report()
        # An error that stands for the limit on memory is treated like the kill that it forestalled.
        committed = report is not None and report.get("errorType") != "MemoryError"
        state = "committed" if committed else "rolledBack" if session.rollback else "lost"
        return self._answer(execution, worker, state, request["filesOut"])

    def _lose_session(self):
        self.kill_strays(())
        if self._session is not None:
            self._session.close()
            self._session = None

    def _end_of_code(self, worker, state):
        """Nothing of the code's runs on after this, but what the session consists of is kept, stopped. Answers how many processes were left over, the code's own not counted."""
        was_living = worker.pid not in self.processes.ended
        session = self._session
        if state == "committed":
            self.processes.stop(worker.pid)
            strays = self.kill_strays((*session.pids, worker.pid))
            session.commit()
            return strays, state
        if state == "ended" or was_living:
            # Its own end counts as no stray; nor is it hurried when it has reported and is on its way out.
            self.processes.stop(worker.pid)
        kept = session.kept_when_killed() if state == "rolledBack" else ()
        strays = self.kill_strays((*kept, worker.pid))
        if state == "ended":
            return strays, state
        self.processes.kill(worker.pid)
        if state == "rolledBack" and session.roll_back():
            return strays, state
        self._lose_session()
        return strays, "lost"

    def kill_strays(self, stopped):
        return self.processes.kill_others(self._spare.pids, stopped)

    # What all executions have in common

    def _answer(self, execution, worker, state, files_out):
        report = execution.report()
        peak = self.processes.peak_memory(worker.pid)
        strays, state = self._end_of_code(worker, state)
        if not self.code_has_own_user:
            self._spare.repair()
        execution.drain()
        fields = {
            "op": "execution",
            "status": _status(execution, report),
            "state": state,
            "exitCode": execution.exit_code,
            "signal": execution.signal,
            "stdout": execution.stdout.captured(),
            "stderr": execution.stderr.captured(),
            "strayProcesses": strays,
            "peakMemoryBytes": peak,
            "files": self._get(files_out) if state != "lost" else [],
            **execution.measured(),
        }
        if report is not None:
            fields["report"] = report
        if execution.timeout_of is not None:
            fields["timeoutOf"] = execution.timeout_of
        return fields

    # Files

    def _put(self, files):
        if files:
            done = self._work_on_files({"act": "put", "files": files})
            if "error" in done:
                raise Refused(f"filesIn: {done['error']}")

    def _get(self, paths):
        return self._work_on_files({"act": "get", "paths": paths, "byteLimit": FILES_LIMIT})["files"] if paths else []

    def _wipe(self):
        """Answers how many files are left. Most code leaves none."""
        if not any(map(_entries, files.WRITABLE)):
            return 0
        return self._work_on_files({"act": "wipe"})["filesLeft"]

    def _work_on_files(self, request):
        worker, content = self._spare.take(), memory_file(json.dumps(request).encode())
        worker.channel.send({"role": "files", "limits": FILE_WORK_LIMITS}, [content])
        os.close(content)
        try:
            return json.loads(self._result_of(worker))
        finally:
            self.processes.kill(worker.pid)
            worker.close()

    def _result_of(self, worker):
        result, over_at = bytearray(), time.monotonic() + FILE_WORK_SECONDS
        while time.monotonic() < over_at and not worker.channel.closed:
            message, _ = worker.channel.receive()
            if message is None:
                select.select([worker.channel], [], [], 0.2)
            else:
                result += message[1:]
                if message[:1] == DONE:
                    return result
        end(BROKEN, "work on the box's files does not end")

    def _reset(self):
        started = time.monotonic()
        strays = len(self.processes.others((*self._spare.pids, *(self._session.pids if self._session is not None else ()))))
        self._lose_session()
        files_left = self._wipe()
        self._spare.prepare()
        return {
            "op": "clean",
            "strayProcesses": strays,
            "processesLeft": len(self.processes.others(self._spare.pids)),
            "filesLeft": files_left,
            "openFiles": len(os.listdir("/proc/self/fd")),
            "memoryBytes": self.counters.memory.read(),
            "resetMs": round((time.monotonic() - started) * 1e3, 3),
        }


def _status(execution, report):
    if execution.status is not None:
        return execution.status
    if report is None:
        return "exit"
    return {None: "ok", "SystemExit": "exit", "MemoryError": "oom"}.get(report.get("errorType"), "exception")


def _entries(directory):
    try:
        return len(os.listdir(directory))
    except FileNotFoundError:
        return 0


def _check(request):
    """The host's mistakes are answered in words instead of with a broken box."""
    limits, code, stdin = request["limits"], request["code"], request["stdin"]
    if limits.keys() != LIMIT_NAMES or not all(isinstance(value, (int, float)) and value >= 0 for value in limits.values()):
        raise Refused(f"limits: expected {', '.join(sorted(LIMIT_NAMES))}, none negative, got {limits}")
    if limits["outputBytes"] > OUTPUT_LIMIT or limits["tailBytes"] > OUTPUT_LIMIT:
        raise Refused(f"limits: expected outputBytes and tailBytes of at most {OUTPUT_LIMIT}, got {limits['outputBytes']} and {limits['tailBytes']}")
    if len(code) > CODE_LIMIT or len(stdin) > STDIN_LIMIT:
        raise Refused(f"expected at most {CODE_LIMIT} bytes of code and {STDIN_LIMIT} of stdin, got {len(code)} and {len(stdin)}")
    paths = [*(file["path"] for file in request.get("filesIn", ())), *request.get("filesOut", ())]
    if len(paths) > FILES:
        raise Refused(f"files: expected at most {FILES}, got {len(paths)}")
    for path in paths:
        if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
            raise Refused(f"files: expected paths relative to the working directory without '..', got {path!r}")
