"""What the kernel counts for the whole box: control groups of both versions, read through files that stay open."""

import os

V1, V2 = "/sys/fs/cgroup/", "/sys/fs/cgroup/"
# Larger than any machine: how version 1 writes "no limit".
UNLIMITED = 1 << 60


class Counter:
    """One number in one file; None where the file does not exist."""

    def __init__(self, *places):
        self._fd, self._key, self._scale = None, None, 1
        for path, key, scale in places:
            try:
                self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                continue
            self._key, self._scale = key, scale
            if self.read() is not None:
                return
            os.close(self._fd)
            self._fd = None

    def read(self):
        if self._fd is None:
            return None
        try:
            text = os.pread(self._fd, 8192, 0).decode()
            if self._key is None:
                return int(text.split()[0]) * self._scale
            for line in text.splitlines():
                name, _, value = line.partition(" ")
                if name == self._key:
                    return int(value) * self._scale
        except (OSError, ValueError, IndexError):
            pass
        return None


class Counters:
    def __init__(self):
        self.oom_kills = Counter((V1 + "memory/memory.oom_control", "oom_kill", 1), (V2 + "memory.events", "oom_kill", 1))
        self.cpu_ns = Counter((V1 + "cpuacct/cpuacct.usage", None, 1), (V2 + "cpu.stat", "usage_usec", 1000))
        self.memory = Counter((V1 + "memory/memory.usage_in_bytes", None, 1), (V2 + "memory.current", None, 1))
        # Threads too, and what has ended but was not waited for yet.
        self.processes = Counter((V1 + "pids/pids.current", None, 1), (V2 + "pids.current", None, 1))


def limits():
    """The limits in force: memory, memory and swap, processes, processors; None for those that are not."""

    def number(path):
        value = Counter((path, None, 1)).read()
        return None if value is None or value < 0 or value >= UNLIMITED else value

    memory = _first(number(V1 + "memory/memory.limit_in_bytes"), number(V2 + "memory.max"))
    both = number(V1 + "memory/memory.memsw.limit_in_bytes")
    if both is None and memory is not None:
        swap = number(V2 + "memory.swap.max")
        both = None if swap is None else memory + swap
    processes = _first(number(V1 + "pids/pids.max"), number(V2 + "pids.max"))
    return {"memoryBytes": memory, "memoryAndSwapBytes": both, "processes": processes, "cpus": _processors(number)}


def _processors(number):
    quota, period = number(V1 + "cpu/cpu.cfs_quota_us"), number(V1 + "cpu/cpu.cfs_period_us")
    if quota is None or not period:
        try:
            with open(V2 + "cpu.max") as file:
                quota, period = (int(word) for word in file.read().split())
        except (OSError, ValueError):
            return None
    return quota / period


def version():
    if os.path.exists(V2 + "cgroup.controllers"):
        return 2
    return 1 if os.path.isdir(V1 + "memory") else None


def _first(*values):
    return next((value for value in values if value is not None), None)
