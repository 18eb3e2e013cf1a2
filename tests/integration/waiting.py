"""Waiting for conditions: the only way in which a story waits."""

import http.client
import threading
import time

_never = threading.Event()


def eventually(condition, what, timeout=60):
    """The first true value of `condition`. A connection that fails counts as not yet."""
    deadline = time.monotonic() + timeout
    trouble = None
    while True:
        try:
            outcome = condition()
            if outcome:
                return outcome
        except (OSError, http.client.HTTPException) as error:
            trouble = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}") from trouble
        _never.wait(0.02)


def gone(pid):
    """Whether no such process runs any more; a zombie has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
