"""Each setting that recycles a worker, with real workers and limits that are soon reached."""

import itertools
import time

from waiting import eventually
from web import Load


def recycled(supervisor, reason, count=1):
    """Waits until workers have been recycled for this reason; returns the events that began it."""
    eventually(lambda: supervisor.metric("poolwarden_worker_recycles_total", reason=reason) >= count
               and len(supervisor.events_of("worker.recycled")) >= count, f"recycled: {reason}")
    return supervisor.events_of("worker.recycling", reason=reason)


def test_after_requests(supervise):
    supervisor = supervise({"web": {"recycle": {"after_requests": 50, "jitter": "0%"}}})
    old = supervisor.worker_pids()

    with Load(supervisor.port, connections=2, limit=200) as load:
        load.join()
        events = recycled(supervisor, "requests")

    assert load.failures == []
    assert events[0]["was"] == 5075
    assert supervisor.worker_pids() != old


def test_after_time(supervise):
    supervisor = supervise({"web": {"workers": 2, "recycle": {"after_time": "1s"}}})
    old = set(supervisor.worker_pids())

    events = recycled(supervisor, "time", 2)

    assert events[0]["was"] == 5074
    eventually(lambda: old.isdisjoint(supervisor.worker_pids()), "both are replaced")


def just_before_three():
    """A time zone in which it is a few seconds to three o'clock now."""
    seconds_of_day = int(time.time()) % 86400
    ahead = (3 * 3600 - 20 - seconds_of_day) % 86400
    behind = 86400 - ahead  # POSIX: what is to be added to local time to get UTC
    return f"TST{behind // 3600}:{behind // 60 % 60:02}:{behind % 60:02}"


def test_at_a_time_of_day(supervise):
    supervisor = supervise({"web": {"workers": 2, "recycle": {"at": ["03:00"]}}},
                           environment={"TZ": just_before_three()})
    old = set(supervisor.worker_pids())
    assert 0 < supervisor.pool()["next_recycle_at"] - time.time() < 86400

    events = recycled(supervisor, "schedule", 2)

    assert [event["was"] for event in events] == [5076, 5076]
    assert old.isdisjoint(supervisor.worker_pids())


def test_over_memory(supervise):
    supervisor = supervise({"web": {"recycle": {"over_memory": "64MiB"}}})
    old = supervisor.worker_pids()

    assert supervisor.post("/leak?bytes=96MiB").status == 200
    events = recycled(supervisor, "private_memory")

    assert events[0]["was"] == 5117
    assert supervisor.worker_pids() != old


def test_over_virtual_memory(supervise):
    supervisor = supervise({"web": {"recycle": {"over_virtual_memory": "8GiB"}}})
    old = supervisor.worker_pids()

    assert supervisor.post("/reserve?bytes=10GiB").status == 200
    events = recycled(supervisor, "memory")

    assert events[0]["was"] == 5077
    assert supervisor.worker_pids() != old


def test_a_full_queue(supervise):
    supervisor = supervise({"web": {"concurrency": 1, "queue": {"recycle_over": 5},
                                    "health": {"request_timeout": "20s"}}})

    with Load(supervisor.port, "/hang", connections=1, limit=1) as stuck:
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight") == 1, "stuck")
        with Load(supervisor.port, "/info", connections=10, limit=10) as load:
            load.join()
        assert load.failures == []
        assert supervisor.metric("poolwarden_worker_recycles_total", reason="queue_limit") == 1
        stuck.join()
    assert [answer[0] for answer in stuck.answers] == [504]


def test_what_a_worker_says_of_itself(supervise):
    supervisor = supervise({"web": {}})
    old = supervisor.worker_pids()

    assert supervisor.post("/unhealthy?reason=no-handles").status == 200
    events = recycled(supervisor, "worker_request")

    assert events[0]["was"] == 5078
    assert supervisor.worker_pids() != old
    assert any("no-handles" in event["message"] for event in supervisor.events_of("worker.status"))


def test_not_overlapped_lets_the_queue_hold(supervise):
    supervisor = supervise({"web": {"recycle": {"overlapped": False, "after_time": "1s"}}})

    with Load(supervisor.port, connections=4) as load:
        recycled(supervisor, "time", 3)

    assert load.failures == []
    starts = [event for event in supervisor.events()
              if event["event"] in ("worker.starting", "worker.stopped")]
    names = [event["event"] for event in starts]
    assert names[:4] == ["worker.starting", "worker.stopped"] * 2, "never two at once"


def test_a_replacement_that_fails_leaves_the_old_worker_serving(supervise, tmp_path, program):
    broken = tmp_path / "broken"
    command = f"test ! -e {broken} || exit 3; exec {program} sample-worker"
    tmp_path.chmod(0o755)
    supervisor = supervise({"web": {"command": command, "recycle": {"after_requests": 20}}})
    broken.touch()

    with Load(supervisor.port, connections=2) as load:
        eventually(lambda: len(supervisor.events_of("worker.recycle_failed")) >= 2,
                   "it is tried again, with a pause")
        assert supervisor.metric("poolwarden_worker_recycles_deferred_total",
                                 reason="start_failed") >= 2
        broken.unlink()
        recycled(supervisor, "requests")

    assert load.failures == []
    assert supervisor.events_of("worker.recycle_failed")[0]["was"] == 5093
    assert supervisor.pool()["disabled"] is None



def test_at_once(supervise):
    supervisor = supervise({"web": {"workers": 4, "recycle": {"at_once": 2},
                                    "environment": {"SAMPLE_START_DELAY": "500ms"}}})
    before = len(supervisor.events())
    assert supervisor.run("recycle", "web").returncode == 0

    eventually(lambda: len(supervisor.events_of("worker.recycled")) == 4, "all four")
    change = {"worker.starting": 1, "worker.ready": -1}
    changes = [change.get(event["event"], 0) for event in supervisor.events()[before:]]
    assert max(itertools.accumulate(changes)) == 2


def test_jitter_shortens_each_limit_by_another_part(supervise):
    """What a worker serves until its replacement is ready comes on top of its own limit."""
    limit = 1500
    supervisor = supervise({"web": {"workers": 4, "recycle": {"after_requests": limit, "at_once": 8,
                                                              "jitter": "60%"}}})
    with Load(supervisor.port, connections=4) as load:
        recycled(supervisor, "requests", 12)
    assert load.failures == []

    served = [event["requests"] for event in supervisor.events_of("worker.stopped")]
    assert min(served) >= limit * 0.4
    assert min(served) < limit * 0.9, "none of twelve had its limit shortened"
