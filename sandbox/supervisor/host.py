"""The stream to the host: length-prefixed JSON in, the same with a signature out. The box ends when the stream does, or when the host has been silent for too long."""

import hmac, json, os, select, struct, sys, time

LENGTH, NUMBER = struct.Struct(">I"), struct.Struct(">Q")
FRAME_LIMIT = 32 << 20
# As much as a pipe holds. Larger ones have the allocator map and unmap memory for each.
READ_SIZE = 1 << 16
# Requests waiting for their turn; the host sends one at a time.
QUEUE_LIMIT = 64
# How the supervisor ends, for whoever looks at the container.
HOST_GONE, ZYGOTE_GONE, BROKEN, TIME_OVER = 0, 70, 71, 72


def end(code, why):
    """Process 1 ends, and the kernel ends everything else in the box."""
    try:
        os.write(2, f"supervisor: {why}\n".encode())
    finally:
        os._exit(code)


class Host:
    def __init__(self, incoming, outgoing):
        self._in, self._out = incoming, outgoing
        os.set_blocking(incoming, False)
        os.set_blocking(outgoing, False)
        self._buffer, self._answers, self._key = bytearray(), 0, b""
        self.requests, self.cancelled = [], set()
        self._silence, self._silent_at, self._over_at = 3600.0, time.monotonic() + 3600.0, time.monotonic() + 86400.0
        # Asked by ping.
        self.running = False

    def fileno(self):
        return self._in

    def begin(self, key, silence_ms, lifetime_ms):
        self._key, self._silence = key, silence_ms / 1e3
        self._over_at = time.monotonic() + lifetime_ms / 1e3
        self._renew()

    def seconds_left(self):
        return max(0.0, min(self._silent_at, self._over_at) - time.monotonic())

    def end_when_over(self):
        if self.seconds_left() == 0:
            end(TIME_OVER, "the host has been silent for too long, or the box is too old")

    def receive(self):
        """Reads what is there. A ping is answered and a cancellation noted at once; other requests wait for their turn."""
        try:
            content = os.read(self._in, READ_SIZE)
        except BlockingIOError:
            return
        if not content:
            end(HOST_GONE, "the host has closed the stream")
        self._buffer += content
        self._renew()
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > FRAME_LIMIT:
                end(BROKEN, f"expected a request of at most {FRAME_LIMIT} bytes, got {length}")
            if len(self._buffer) < LENGTH.size + length:
                return
            body = bytes(memoryview(self._buffer)[LENGTH.size : LENGTH.size + length])
            del self._buffer[: LENGTH.size + length]
            self._sort(json.loads(body))

    def _sort(self, request):
        if request["op"] == "cancel":
            self.cancelled.add(request["target"])
        elif request["op"] == "ping":
            self.answer(request["id"], "pong", running=self.running)
        elif len(self.requests) >= QUEUE_LIMIT:
            end(BROKEN, f"expected at most {QUEUE_LIMIT} requests to wait")
        else:
            self.requests.append(request)

    def next_request(self):
        return self.requests.pop(0) if self.requests else None

    def answer(self, request_id, op, **fields):
        body = json.dumps({"op": op, "id": request_id, **fields}).encode()
        signature = hmac.digest(self._key, NUMBER.pack(self._answers) + body, "sha256")
        self._answers += 1
        left = memoryview(LENGTH.pack(len(signature) + len(body)) + signature + body)
        while left:
            try:
                left = left[os.write(self._out, left) :]
            except BlockingIOError:
                select.select([], [self._out], [], self.seconds_left())
                self.end_when_over()

    def _renew(self):
        self._silent_at = time.monotonic() + self._silence
