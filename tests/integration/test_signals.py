"""SIGTERM ends everything gracefully and completely; SIGHUP ends nothing."""

import signal

from waiting import eventually, gone
from web import Held


def in_flight(supervisor, count):
    eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight", pool="web") == count,
               f"{count} requests in flight")


def test_term_finishes_what_is_in_flight(supervise):
    supervisor = supervise({"web": {}})

    with Held(supervisor.port, 3) as held:
        in_flight(supervisor, 3)
        supervisor.process.terminate()
        eventually(lambda: "supervisor.stopping" in supervisor.event_names(), "it stops")
        held.let_go()
        assert supervisor.process.wait(30) == 0

    assert held.answers == [200] * 3


def test_a_worker_that_ignores_term_is_killed_after_its_time(supervise):
    supervisor = supervise({"web": {"stop": {"timeout": "500ms"}}})
    supervisor.post("/ignore-term")
    [worker] = supervisor.worker_pids()

    assert supervisor.stop(timeout=15) == 0

    assert gone(worker)


def test_descendants_end_with_their_worker(supervise):
    supervisor = supervise({"web": {}})
    descendants = [int(pid) for pid in supervisor.post("/fork?count=6").text.split()]
    assert len(descendants) == 6 and not any(gone(pid) for pid in descendants)

    assert supervisor.stop() == 0

    assert all(gone(pid) for pid in descendants)


def test_descendants_of_a_killed_worker_end_before_it_is_replaced(supervise):
    supervisor = supervise({"web": {}})
    descendants = [int(pid) for pid in supervisor.post("/fork?count=4").text.split()]

    supervisor.post("/crash")
    eventually(lambda: supervisor.get().status == 200, "the replacement")

    assert all(gone(pid) for pid in descendants)


def test_it_starts_again_after_it_was_stopped(supervise):
    supervisor = supervise({"web": {}})
    assert supervisor.stop() == 0

    supervisor.start()

    assert supervisor.get().status == 200


def test_int_ends_it_gracefully_too(supervise):
    supervisor = supervise({"web": {}})

    supervisor.process.send_signal(signal.SIGINT)

    assert supervisor.process.wait(20) == 0


def test_hup_is_survived(supervise):
    supervisor = supervise({"web": {}})
    workers = supervisor.worker_pids()

    supervisor.process.send_signal(signal.SIGHUP)

    assert supervisor.get().status == 200
    assert supervisor.worker_pids() == workers


def test_stop_while_starting(supervise):
    supervisor = supervise({"web": {"environment": {"SAMPLE_NEVER_READY": "1"}}}, wait="up")

    assert supervisor.stop() == 0
