"""
Between the supervisor and one process of its own: messages with file descriptors, whose sender the kernel names.

What the supervisor says is marshalled: it is read by processes that trust it, and without a line of Python. What they say is JSON, because they run code.
A process that was just forked pays for every object that it touches with a copied page, so its side avoids the socket module's classes and enumerations.
"""

import _socket, array, marshal, os, struct

CREDENTIALS = struct.Struct("iII")
MESSAGE_LIMIT = 1 << 16
DESCRIPTORS_ROOM, CREDENTIALS_ROOM = _socket.CMSG_SPACE(8 * 4), _socket.CMSG_SPACE(CREDENTIALS.size)
SOL_SOCKET, SCM_RIGHTS, SCM_CREDENTIALS, CLOSE_ON_EXEC = _socket.SOL_SOCKET, _socket.SCM_RIGHTS, _socket.SCM_CREDENTIALS, _socket.MSG_CMSG_CLOEXEC
# Kinds of message from a process: it waits for work; a piece of its report; the rest of the report, which is complete, and the work is done.
WAITING, PIECE, DONE = b"W", b"P", b"D"


def pair():
    """The supervisor's end and the file descriptor that the process gets."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    ours.setsockopt(SOL_SOCKET, _socket.SO_PASSCRED, 1)
    ours.setblocking(False)
    return Channel(ours), theirs.detach()


class Channel:
    """The supervisor's end."""

    def __init__(self, end):
        self._end, self.closed, self.fileno = end, False, end.fileno

    def send(self, message, fds=()):
        """False when nobody is there to receive it."""
        rights = [(SOL_SOCKET, SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self._end.sendmsg([marshal.dumps(message)], rights)
        except OSError:
            return False
        return True

    def receive(self):
        """The next message and its sender's process id; (None, 0) when there is none. There is room for no file descriptors: the kernel drops what code sends along."""
        try:
            message, ancillary, _, _ = self._end.recvmsg(MESSAGE_LIMIT, CREDENTIALS_ROOM)
        except BlockingIOError:
            return None, 0
        except OSError:
            message, ancillary = b"", []
        if message == b"":
            self.closed = True
            return None, 0
        for level, kind, content in ancillary:
            if level == SOL_SOCKET and kind == SCM_CREDENTIALS and len(content) == CREDENTIALS.size:
                return message, CREDENTIALS.unpack(content)[0]
        return None, 0

    def close(self):
        self._end.close()


def work_end(fd):
    """The end of a process that works."""
    return _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, fd)


def receive(end, exit=os._exit, loads=marshal.loads, view=memoryview):
    """The next message of the supervisor and its descriptors. Blocks. Ends the process when the supervisor is gone."""
    message, ancillary, _, _ = end.recvmsg(MESSAGE_LIMIT, DESCRIPTORS_ROOM, CLOSE_ON_EXEC)
    if message == b"":
        exit(0)
    for level, kind, content in ancillary:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            return loads(message), view(content).cast("i").tolist()
    return loads(message), []


def report(end, content):
    while len(content) >= MESSAGE_LIMIT:
        end.send(PIECE + content[: MESSAGE_LIMIT - 1])
        content = content[MESSAGE_LIMIT - 1 :]
    end.send(DONE + content)
