"""Workers that have nothing to do, and pools that grow and shrink with their load."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

from waiting import eventually, gone
from web import Load


def test_an_idle_worker_is_stopped_and_started_by_the_next_request(supervise):
    supervisor = supervise({"web": {"idle": {"after": "1s"}}})

    [idle] = eventually(lambda: supervisor.events_of("worker.idle"), "it has nothing to do")
    assert idle["was"] == 5186
    eventually(lambda: gone(idle["pid"]), "it is stopped")
    eventually(lambda: supervisor.metric("poolwarden_worker_exits_total", reason="idle_timeout") == 1,
               "its end is counted")
    assert supervisor.metric("poolwarden_workers_desired") == 0
    assert supervisor.admin("/readyz").status == 200

    assert supervisor.get().status == 200
    assert supervisor.metric("poolwarden_worker_starts_total", reason="demand") == 1


def test_a_worker_with_requests_is_not_idle(supervise):
    supervisor = supervise({"web": {"idle": {"after": "500ms"}}})

    begun = datetime.now(timezone.utc)
    with Load(supervisor.port, "/slow?seconds=2", connections=1, limit=1) as load:
        load.join()

    assert load.failures == []
    served = eventually(lambda: supervisor.events_of("worker.stopped", requests=1), "it is idle")[0]
    idle = supervisor.events_of("worker.idle", pid=served["pid"])[0]
    assert datetime.fromisoformat(idle["time"]) >= begun + timedelta(seconds=2)


def test_idleness_is_shorter_when_memory_is_short(supervise):
    """1% of the memory is in use on every machine: a 32nd of a minute remains."""
    supervisor = supervise({"web": {"idle": {"after": "1m", "under_pressure": "1%"}}})

    [idle] = eventually(lambda: supervisor.events_of("worker.idle"), "it is idle", timeout=20)
    assert idle["was"] == 5195
    assert supervisor.events_of("pool.idle_shortened")[0]["was"] == 5193
    eventually(lambda: gone(idle["pid"]), "it is stopped")


def test_a_web_garden_grows_with_its_queue_and_shrinks_without_need(supervise):
    supervisor = supervise({"web": {"workers": {"min": 1, "max": 3}, "concurrency": 1,
                                    "idle": {"spare_after": "1s"}}})
    assert len(supervisor.workers()) == 1

    with Load(supervisor.port, "/slow?seconds=1", connections=6) as load:
        eventually(lambda: len(supervisor.workers()) == 3, "as many as there may be")
        assert supervisor.metric("poolwarden_worker_starts_total", reason="scale_up") == 2
    assert load.failures == []

    eventually(lambda: [worker["slot"] for worker in supervisor.workers(state=None)] == [0],
               "one is left")
    assert supervisor.metric("poolwarden_worker_exits_total", reason="scale_down") == 2
    assert len(supervisor.events_of("pool.scaled")) >= 3


def cpus_of(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line.split()[1] for line in status.splitlines()
                if line.startswith("Cpus_allowed_list"))


def test_each_worker_has_its_own_cpu(supervise):
    supervisor = supervise({"web": {"workers": 2, "limits": {"affinity": "0-1",
                                                             "affinity_each": 1}}})
    assert [cpus_of(pid) for pid in supervisor.worker_pids()] == ["0", "1"]
