"""Recycling loses nothing: 10 000 requests while the workers are replaced all the time."""

import threading
import time

from waiting import eventually
from web import Held, Load

REQUESTS = 10_000
CONNECTIONS = 16
RECYCLES = 10
EVERY = 0.2  # seconds


def recycle_under(load, supervisor, requests):
    """Runs `recycle --wait` every 200 ms, or as fast as it gets done, until so many requests are
    answered; returns its exit codes."""
    codes = []
    pause = threading.Event()
    while load.answered < requests or len(codes) < RECYCLES:
        started = time.monotonic()
        codes.append(supervisor.run("recycle", "web", "--wait").returncode)
        assert not load.broken, load.broken
        pause.wait(max(0, started + EVERY - time.monotonic()))
    return codes


def test_no_request_is_lost(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    before = set(supervisor.worker_pids())

    with Load(supervisor.port, "/info", connections=CONNECTIONS) as load:
        codes = recycle_under(load, supervisor, REQUESTS)

    assert load.failures == []
    assert load.answered >= REQUESTS
    assert set(codes) == {0}
    assert before.isdisjoint(supervisor.worker_pids())
    metrics = supervisor.metrics()
    for labels, value in metrics.matching("poolwarden_http_requests_lost_total"):
        assert value == 0, labels
    assert metrics.value("poolwarden_worker_failures_total", pool="web") == 0
    assert metrics.value("poolwarden_worker_recycles_total", reason="manual") >= len(codes)


def test_no_post_is_lost(supervise):
    supervisor = supervise({"web": {"workers": 1}})

    with Load(supervisor.port, "/echo", connections=8, method="POST", body=b"x" * 5000) as load:
        codes = recycle_under(load, supervisor, 1000)

    assert load.failures == []
    assert set(codes) == {0}


def test_a_slow_request_is_finished_by_the_worker_that_has_it(supervise):
    supervisor = supervise({"web": {"workers": 1}})
    old = supervisor.worker_pids()

    with Held(supervisor.port) as held:
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight", pool="web") == 1,
                   "the slow request in flight")
        assert supervisor.run("recycle", "web").returncode == 0
        eventually(lambda: supervisor.workers() != [] and supervisor.worker_pids() != old,
                   "its replacement serves")
        held.let_go()

    assert held.answers == [200]
    assert supervisor.worker_pids() != old
