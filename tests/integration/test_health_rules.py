"""Workers that hang: found by pings, by the watchdog, by a request that takes too long."""

import ctypes
import os
import signal
import threading
from datetime import datetime
from pathlib import Path

from waiting import eventually, gone
from web import Load

PING = {"http": "/healthz", "interval": "100ms", "timeout": "1s"}


def unhealthy(supervisor, ailment):
    eventually(lambda: supervisor.events_of("worker.unhealthy", ailment=ailment), ailment)
    return supervisor.events_of("worker.unhealthy", ailment=ailment)[0]


def test_pings_that_are_answered_wrongly(supervise):
    """Its requests are answered all the while, so none is lost."""
    supervisor = supervise({"web": {"health": {"ping": PING}}})
    old = supervisor.worker_pids()

    with Load(supervisor.port, connections=4) as load:
        assert supervisor.post("/sick").status == 200
        event = unhealthy(supervisor, "ping")
        eventually(lambda: supervisor.worker_pids() not in (old, []), "a replacement")
        eventually(lambda: gone(old[0]), "the sick worker is gone")

    assert load.failures == []
    assert event["was"] == 5010
    metrics = supervisor.metrics()
    assert metrics.value("poolwarden_worker_ping_failures_total", reason="bad_status") > 1
    assert metrics.value("poolwarden_worker_pings_total") > 1
    assert metrics.value("poolwarden_worker_failures_total", diagnosis="ping_timeout") == 1
    assert metrics.value("poolwarden_worker_recycles_total", reason="unhealthy") == 1


def test_pings_that_nobody_answers(supervise):
    supervisor = supervise({"web": {"health": {"ping": PING}, "stop": {"timeout": "1s"}}})
    old = supervisor.worker_pids()

    os.kill(old[0], signal.SIGSTOP)
    unhealthy(supervisor, "ping")
    eventually(lambda: supervisor.worker_pids() not in (old, []), "a replacement")
    eventually(lambda: gone(old[0]), "what does not react to a signal is killed")

    exited = eventually(lambda: supervisor.events_of("worker.exited"), "its end")[0]
    assert exited["diagnosis"] == "ping_timeout"
    assert supervisor.get().status == 200


def test_the_watchdog(supervise):
    supervisor = supervise({"web": {"health": {"ping": {"notify": True, "timeout": "1s"}},
                                    "stop": {"timeout": "2s", "drain": "500ms"}}})
    old = supervisor.worker_pids()

    with Load(supervisor.port, "/hang?all=1", connections=1, limit=1):
        unhealthy(supervisor, "ping")
        eventually(lambda: supervisor.worker_pids() not in (old, []), "a replacement")
        # The request is sent to the replacement too, for it is a GET, and hangs that one.
        eventually(lambda: len(supervisor.events_of("worker.unhealthy")) >= 2, "it hangs as well")


def test_a_worker_of_a_pool_without_requests_is_watched_too(supervise):
    worker = ("exec python3 -c '\nimport os, socket, time\n"
              "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
              's.connect(os.environ["NOTIFY_SOCKET"])\n'
              's.send(b"READY=1")\n'
              'for i in range(3):\n    s.send(b"WATCHDOG=1"); time.sleep(0.2)\n'
              "time.sleep(1000)'")
    supervisor = supervise({"job": {"command": worker, "routes": [], "ready": {"when": "notify"},
                                    "health": {"ping": {"notify": True, "timeout": "1s"}},
                                    "rapid_fail": {"failures": 0}}})

    unhealthy(supervisor, "ping")
    eventually(lambda: supervisor.metric("poolwarden_worker_starts_total", reason="replace") >= 1,
               "a replacement")


def test_a_request_that_takes_too_long(supervise):
    """Others of the same worker get done; it is signalled only when they have."""
    supervisor = supervise({"web": {"health": {"request_timeout": "4s"}, "concurrency": 8}})
    old = supervisor.worker_pids()

    with Load(supervisor.port, "/hang", connections=1, limit=1) as stuck:
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight") == 1, "stuck")
        with Load(supervisor.port, "/slow?seconds=0.5", connections=1) as slow:
            unhealthy(supervisor, "request_timeout")
            stuck.join()
            eventually(lambda: supervisor.worker_pids() not in (old, []), "a replacement")
            eventually(lambda: gone(old[0]), "the old worker is gone")

    assert list(stuck.answers) == [(504, "request_timeout")]
    assert slow.failures == []
    exited = eventually(lambda: supervisor.events_of("worker.exited"), "its end")[0]
    assert exited["diagnosis"] == "request_timeout"
    assert exited["signal"] == "SIGABRT", "it was given the chance to write a stack"
    lost = supervisor.metrics().matching("poolwarden_http_requests_lost_total")
    assert all(value == 0 for _, value in lost), lost


class Tracer:
    """Attached to a process, as a debugger is, from a thread of its own."""

    PTRACE_SEIZE = 0x4206

    def __init__(self, pid):
        self._attached, self._done = threading.Event(), threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._hold, args=(pid,), daemon=True)
        self._thread.start()
        self._attached.wait(10)
        assert self._error is None, os.strerror(self._error)

    def _hold(self, pid):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        if libc.ptrace(self.PTRACE_SEIZE, pid, None, None) != 0:
            self._error = ctypes.get_errno()
        self._attached.set()
        self._done.wait()  # the end of the thread detaches

    def detach(self):
        self._done.set()
        self._thread.join()


def test_a_worker_in_a_debugger_is_left_alone(supervise):
    supervisor = supervise({"web": {"health": {"ping": PING}}})
    pid = supervisor.worker_pids()[0]
    tracer = Tracer(pid)

    supervisor.post("/sick")
    ignored = eventually(lambda: supervisor.events_of("worker.unhealthy_ignored"), "ignored")[0]
    assert ignored["was"] == 5082
    assert supervisor.worker_pids() == [pid]

    tracer.detach()
    unhealthy(supervisor, "ping")


def test_an_unhealthy_worker_is_kept_for_inspection(supervise, tmp_path):
    seen = tmp_path / "seen"
    action = f"echo ${{PID}} $POOLWARDEN_DIAGNOSIS >> {seen}"
    supervisor = supervise({"web": {"health": {"ping": PING},
                                    "orphan": {"keep": True, "action": ["/bin/sh", "-c", action]}}})
    old = supervisor.worker_pids()[0]

    with Load(supervisor.port, connections=2) as load:
        supervisor.post("/sick")
        eventually(lambda: supervisor.workers(state="orphaned"), "an orphan")
        eventually(lambda: supervisor.worker_pids() not in ([old], []), "a replacement")
    assert load.broken == []
    eventually(lambda: seen.exists() and seen.read_text() == f"{old} ping_timeout\n", "its action")
    assert not gone(old)
    assert supervisor.metric("poolwarden_workers", state="orphaned") == 1

    # The next one is not kept: there may be one at a time.
    second = supervisor.worker_pids()[0]
    supervisor.post("/sick")
    eventually(lambda: gone(second), "the second is ended")
    assert not gone(old)

    assert supervisor.run("stop", "web", "--wait").returncode == 0
    assert not gone(old), "an administrator's, whatever becomes of the pool"
    assert Path(f"/proc/{old}").exists()


def test_a_slot_is_left_alone_for_a_while_after_a_deadlock(supervise):
    """Its GETs hang the replacement as well: that one is found only when the cool-down is over."""
    supervisor = supervise({"web": {"concurrency": 1, "stop": {"drain": "100ms", "timeout": "1s"},
                                    "health": {"deadlock": {"after": "500ms", "cooldown": "4s"}}}})

    with Load(supervisor.port, "/hang?all=1", connections=4):
        eventually(lambda: len(supervisor.events_of("worker.unhealthy", ailment="deadlock")) >= 2,
                   "two deadlocks of one slot")
        first, second = supervisor.events_of("worker.unhealthy", ailment="deadlock")[:2]
        supervisor.run("stop", "web")  # nobody is left hanging
    apart = datetime.fromisoformat(second["time"]) - datetime.fromisoformat(first["time"])
    assert apart.total_seconds() >= 4
