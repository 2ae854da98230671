"""Siblings of a group, and a session that is run again, draw the same random numbers: the generators are seeded alike in every box, and forks of a session go on from where it was."""

import hashlib, os


def import_random():
    """`random` without its habit of seeding itself anew in every child of a fork. Called once, before anything else imports it."""
    register, os.register_at_fork = os.register_at_fork, lambda **_: None
    try:
        import random
    finally:
        os.register_at_fork = register
    return random


def make_repeatable():
    random = import_random()
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
