"""One stream of a run: its beginning and its end are kept, the rest is counted."""

# A cut end is looked for this far: the longest UTF-8 sequence.
LONGEST_CHARACTER = 4


class Output:
    def __init__(self, head_bytes, tail_bytes):
        self._head, self._tail, self.byte_length = bytearray(), bytearray(), 0
        self._head_bytes, self._tail_bytes = head_bytes, tail_bytes

    def add(self, content):
        self.byte_length += len(content)
        room = self._head_bytes - len(self._head)
        if room > 0:
            self._head += content[:room]
            content = content[room:]
        if content and self._tail_bytes:
            self._tail += content
            if len(self._tail) > self._tail_bytes + (1 << 17):
                del self._tail[: -self._tail_bytes]

    def captured(self):
        tail = bytes(self._tail[-self._tail_bytes :]) if self._tail_bytes else b""
        truncated = self.byte_length > len(self._head) + len(tail)
        if not truncated:
            head, tail = bytes(self._head) + tail, b""
        else:
            head = _without_cut_end(bytes(self._head))
        return {"head": head.decode("utf-8", "replace"), "tail": tail.decode("utf-8", "replace"), "byteLength": self.byte_length, "truncated": truncated}


def _without_cut_end(content):
    """Without a character that the limit cut in two."""
    for length in range(1, min(LONGEST_CHARACTER, len(content)) + 1):
        first = content[-length]
        if first & 0xC0 != 0x80:
            needed = 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2 if first >= 0xC0 else 1
            return content[:-length] if needed > length else content
    return content
