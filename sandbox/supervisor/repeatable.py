"""Siblings of a group, and a session that is run again, draw the same random numbers: the generators are seeded alike in every box, and forks of a session go on from where it was."""

import hashlib, os, random


def make_repeatable():
    os.urandom = random._urandom = _repeatable_bytes()
    random.seed(0)


def _repeatable_bytes():
    """Same bytes for the same sequence of calls. Nothing in a box is secret, so they need not be unknown."""
    sha256, drawn = hashlib.sha256, 0

    def urandom(size, /):
        nonlocal drawn
        blocks = []
        for _ in range(-(-size // 32)):
            blocks.append(sha256(drawn.to_bytes(16, "big")).digest())
            drawn += 1
        return b"".join(blocks)[:size]

    return urandom
