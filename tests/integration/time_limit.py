"""What hangs fails: a limit that is far above what a test ever takes."""

import contextlib
import faulthandler
import signal


class TooLong(AssertionError):
    """Not a TimeoutError, which is an OSError, and taken for what is not there yet."""


@contextlib.contextmanager
def time_limit(seconds):
    def too_long(signum, frame):
        faulthandler.dump_traceback()
        raise TooLong(f"the test takes longer than {seconds} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
