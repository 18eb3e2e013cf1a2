"""`scale` changes how many workers a pool has, while it serves."""

import pytest

from waiting import eventually
from web import Load


def test_more_and_fewer_workers(supervise):
    supervisor = supervise({"web": {"workers": 1}})
    [first] = supervisor.worker_pids()

    with Load(supervisor.port, "/info", connections=8) as load:
        load.wait_for_more(50)
        result = supervisor.run("scale", "web", "3", "--wait")
        assert result.returncode == 0, result.stderr
        assert "3 workers" in result.stdout
        assert len(supervisor.workers()) == 3
        assert supervisor.run("scale", "web", "1", "--wait").returncode == 0
        assert [worker["pid"] for worker in supervisor.workers(state=None)] == [first]
        load.wait_for_more(50)

    assert load.failures == []
    assert supervisor.metric("poolwarden_workers_limit", pool="web") == 1
    assert "pool.scaled" in supervisor.event_names()
    assert supervisor.metric("poolwarden_worker_exits_total", pool="web", reason="scale_down") == 2


def test_a_range_grows_with_the_load(supervise):
    supervisor = supervise({"web": {"workers": 1, "concurrency": 1}})
    assert supervisor.run("scale", "web", "1-3").returncode == 0
    assert supervisor.metric("poolwarden_workers_limit", pool="web") == 3

    with Load(supervisor.port, "/slow?seconds=0.2", connections=6) as load:
        eventually(lambda: len(supervisor.workers()) == 3, "three workers")

    assert load.failures == []


def test_a_reload_of_the_same_file_leaves_it(supervise):
    supervisor = supervise({"web": {"workers": 1}})
    assert supervisor.run("scale", "web", "2", "--wait").returncode == 0
    supervisor.change({"web": {"workers": 1, "concurrency": 5}})
    assert supervisor.run("reload", "--wait").returncode == 0
    assert len(supervisor.workers()) == 2

    supervisor.change({"web": {"workers": 3, "concurrency": 5}})

    assert supervisor.run("reload", "--wait").returncode == 0
    eventually(lambda: len(supervisor.workers()) == 3, "what the file says now")


def test_a_stopped_pool_remembers_it(supervise):
    supervisor = supervise({"web": {"workers": 1}})
    assert supervisor.run("stop", "web", "--wait").returncode == 0

    result = supervisor.run("scale", "web", "2")

    assert result.returncode == 0
    assert "when it starts again" in result.stdout
    assert supervisor.workers(state=None) == []
    assert supervisor.run("start", "web", "--wait").returncode == 0
    assert len(supervisor.workers()) == 2


def test_workers_that_do_not_come_are_a_failure(supervise, program, tmp_path):
    broken = tmp_path / "broken"
    command = f"test -e {broken} && exit 5; exec {program} sample-worker"
    supervisor = supervise({"web": {"command": command, "rapid_fail": {"failures": 2}}})
    broken.touch()

    result = supervisor.run("scale", "web", "2", "--wait")

    assert result.returncode == 1
    assert "did not start" in result.stderr


@pytest.mark.parametrize("count", ["0", "-1", "many", "4-2", "1025", "1-1025", "", "2-"])
def test_what_is_no_number_of_workers_is_wrong_usage(supervise, count):
    supervisor = supervise({"web": {}})

    assert supervisor.run("scale", "web", count).returncode == 2

    assert len(supervisor.workers()) == 1


def test_none_at_all_is_for_stop(supervise):
    supervisor = supervise({"web": {}})

    assert "poolwarden stop" in supervisor.run("scale", "web", "0").stderr


def test_more_than_can_be_kept_track_of_is_refused(supervise):
    spare = {"routes": [], "command": ["/bin/sleep", "100"], "start": "manual",
             "workers": {"min": 1, "max": 1024}}
    supervisor = supervise({"web": {}, "a": spare, "b": spare, "c": spare}, wait="up")

    result = supervisor.run("scale", "web", "1-1024")

    assert result.returncode == 1
    assert "4096" in result.stderr
    assert supervisor.metric("poolwarden_workers_limit", pool="web") == 1


def test_no_such_pool(supervise):
    supervisor = supervise({"web": {}})

    result = supervisor.run("scale", "wbe", "2")

    assert result.returncode == 1
    assert "web" in result.stderr
