"""Between the supervisor and one process of its own: messages with file descriptors, whose sender the kernel names."""

import array, json, os, socket, struct

CREDENTIALS = struct.Struct("iII")
MESSAGE_LIMIT = 1 << 16
# Kinds of message from a process: it waits for work; a piece of its report; the report is complete and the work is done.
WAITING, PIECE, DONE = b"W", b"P", b"D"


def pair():
    """The supervisor's end and the file descriptor that the process gets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    ours.setblocking(False)
    return Channel(ours), theirs.detach()


class Channel:
    """The supervisor's end."""

    def __init__(self, end):
        self._end, self.closed = end, False

    def fileno(self):
        return self._end.fileno()

    def send(self, message, fds=()):
        """False when nobody is there to receive it."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self._end.sendmsg([json.dumps(message).encode()], rights)
        except OSError:
            return False
        return True

    def receive(self):
        """The next message and its sender's process id; (None, 0) when there is none. There is room for no file descriptors: the kernel drops what code sends along."""
        try:
            message, ancillary, _, _ = self._end.recvmsg(MESSAGE_LIMIT, socket.CMSG_SPACE(CREDENTIALS.size))
        except BlockingIOError:
            return None, 0
        except OSError:
            message, ancillary = b"", []
        if message == b"":
            self.closed = True
            return None, 0
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS and len(content) == CREDENTIALS.size:
                return message, CREDENTIALS.unpack(content)[0]
        return None, 0

    def close(self):
        self._end.close()


class WorkEnd:
    """The end of a process that works."""

    def __init__(self, fd):
        self._end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fd)

    def fileno(self):
        return self._end.fileno()

    def receive(self):
        """Blocks. Ends the process when the supervisor is gone."""
        fds = array.array("i")
        message, ancillary, _, _ = self._end.recvmsg(MESSAGE_LIMIT, socket.CMSG_SPACE(8 * fds.itemsize), socket.MSG_CMSG_CLOEXEC)
        if message == b"":
            os._exit(0)
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
        return json.loads(message), fds.tolist()

    def wait(self):
        self._end.send(WAITING)
        return self.receive()

    def report(self, content):
        for start in range(0, len(content), MESSAGE_LIMIT - 1):
            self._end.send(PIECE + content[start : start + MESSAGE_LIMIT - 1])
        self._end.send(DONE)

    def close(self):
        self._end.close()
