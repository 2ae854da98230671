"""
Process 1 of a box: runs code that nobody trusts, in processes below itself, and alone speaks with the host.

    process 1 (this): the host's stream, the kernel's counters, the children's ends; root with three capabilities, or the code's own user in the mode with one user
      zygote: has loaded what programs import; forks the workers; has seen no request and holds no descriptor of the host's
      worker: runs one program, or is the head of a session and its cells' processes; under the code's user, without privileges, behind a filter
"""

import os, signal, site, sys
import channel, seccomp
from box import Box
from counters import Counters
from facts import facts
from host import Host
from kernel import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, prctl
from processes import SUPERVISOR, Processes
from zygote import preload, zygote

CODE_UID, PRELOAD = "TURNWISE_CODE_UID", "TURNWISE_PRELOAD"
IGNORED_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGPIPE)


def main(own_modules):
    if os.getpid() != SUPERVISOR or CODE_UID not in os.environ:
        sys.exit("supervisor: runs only as process 1 of a box that turnwise made")
    code_uid = int(os.environ[CODE_UID])
    for number in IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    for directory in site.getsitepackages():
        site.addsitedir(directory)
    site.setquit()
    preloaded = preload(os.environ.get(PRELOAD, "").split())
    prctl(PR_SET_DUMPABLE, 0)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    os.environ.clear()
    incoming, outgoing = take_host_stream()
    filter = seccomp.compiled()
    counters = Counters()
    processes = Processes(counters)
    zygote_channel, zygote_end = channel.pair()
    pid = os.fork()
    if pid == 0:
        zygote(zygote_end, own_modules, code_uid, filter)
    os.close(zygote_end)
    processes.zygote = pid
    Box(Host(incoming, outgoing), processes, counters, zygote_channel, facts(code_uid, can_install(filter), preloaded)).serve()


def take_host_stream():
    """Its descriptors under other numbers; the standard ones lead nowhere, but for errors of this process."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return incoming, outgoing


def can_install(filter):
    """Tried in a child: it cannot be taken back."""
    pid = os.fork()
    if pid == 0:
        try:
            seccomp.install(filter)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
