"""What hangs fails: a limit that is far above what a test ever takes."""

import contextlib
import faulthandler
import signal


@contextlib.contextmanager
def time_limit(seconds):
    def too_long(signum, frame):
        faulthandler.dump_traceback()
        raise TimeoutError(f"the test takes longer than {seconds} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
