"""`poolwarden drill`: each failure is really done, under a load of its own, and told as it was."""

import json
import socket

import pytest

from machine import is_sanitized, memory_can_be_limited
from waiting import eventually, gone
from web import Load


def drill(supervisor, kind, *options, pool="web"):
    """The exit code, the outcome as the command tells it, and what it says on stderr."""
    result = supervisor.run("drill", pool, kind, "--json", *options)
    return result.returncode, json.loads(result.stdout or "{}"), result.stderr


def recorded(outcome):
    return [event["event"] for event in outcome["events"]]


@pytest.mark.parametrize("kind, diagnosis, how", [
    ("segv", "segfault", {"signal": "SIGSEGV"}),
    ("abort", "abort", {"signal": "SIGABRT"}),
    ("exit=3", "exit_nonzero", {"exit_code": 3}),
    ("exit=0", "exit_zero", {"exit_code": 0}),
])
def test_a_worker_that_dies_is_replaced(supervise, kind, diagnosis, how):
    supervisor = supervise({"web": {"workers": 2}})
    victim, other = supervisor.worker_pids()

    code, outcome, _ = drill(supervisor, kind, "--worker", "0")

    assert code == 0
    assert outcome["worker"] == {"slot": 0, "generation": 1, "pid": victim}
    assert gone(victim) and not gone(other)
    assert outcome["end"]["diagnosis"] == diagnosis
    assert how.items() <= outcome["end"].items()
    assert 0 <= outcome["noticed_after_seconds"] <= outcome["replaced_after_seconds"]
    assert recorded(outcome)[0] == "worker.exited" and "worker.ready" in recorded(outcome)
    requests = outcome["requests"]
    assert requests["sent"] == requests["answered"] == requests["answers"]["2xx"] > 0
    assert requests["lost"] == 0 and requests["losses"] == []
    assert sum(outcome["requests_lost_total"].values()) == 0
    assert supervisor.metric("poolwarden_worker_failures_total", diagnosis=diagnosis) == 1
    assert supervisor.metric("poolwarden_pool_rapid_fail_window_failures", pool="web") == 1


@pytest.mark.skipif(not memory_can_be_limited(), reason="no writable cgroup with memory")
def test_out_of_memory(supervise, program):
    if is_sanitized(program):
        pytest.skip("what is to take the memory is larger than the limit before it begins")
    supervisor = supervise({"web": {"limits": {"memory": "64MiB"}}})
    victim = supervisor.worker_pids()[0]

    code, outcome, complaint = drill(supervisor, "oom")

    assert code == 0, complaint
    assert gone(victim)
    assert outcome["end"]["diagnosis"] == "oom_killed"
    assert supervisor.metric("poolwarden_worker_failures_total", diagnosis="oom_killed") == 1
    assert supervisor.get().status == 200


def test_out_of_memory_needs_a_limit(supervise):
    supervisor = supervise({"web": {}})
    before = supervisor.worker_pids()

    code, outcome, complaint = drill(supervisor, "oom")

    assert code == 1
    assert "no limits.memory" in complaint
    assert supervisor.worker_pids() == before
    assert outcome["exit"] == 1


def test_a_hang_that_pings_find(supervise):
    supervisor = supervise({"web": {
        "workers": 2, "stop": {"timeout": "1s", "drain": "500ms"},
        "health": {"ping": {"http": "/healthz", "interval": "100ms", "timeout": "500ms"}}}})
    victim = supervisor.worker_pids()[0]

    code, outcome, _ = drill(supervisor, "hang")

    assert code == 0
    assert gone(victim)
    assert outcome["end"]["diagnosis"] == "ping_timeout"
    assert "worker.unhealthy" in recorded(outcome)
    assert outcome["requests"]["lost"] == 0, "a GET is sent again when its worker is ended"


def test_a_hang_that_nothing_finds(supervise):
    """It is told so, and the worker goes on."""
    supervisor = supervise({"web": {}})
    before = supervisor.worker_pids()

    code, outcome, complaint = drill(supervisor, "hang", "--timeout", "500ms")

    assert code == 3
    assert "health.ping is off" in complaint and "health.deadlock takes 3m" in complaint
    assert outcome["replaced_after_seconds"] is None
    assert outcome["requests"]["lost"] == 0
    assert outcome["requests"]["slowest_seconds"] > 0.25, "it did hang, for half a second in all"
    assert supervisor.worker_pids() == before
    assert supervisor.get().status == 200


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def test_a_hang_ends_when_the_command_is_broken_off(supervise):
    supervisor = supervise({"web": {}})
    pid = supervisor.worker_pids()[0]
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(supervisor.control))
        control.sendall(b'{"command": "drill", "pool": "web", "drill": "hang", '
                        b'"timeout_ms": 600000}\n')
        eventually(lambda: state_of(pid) == "T", "it stands still")
    eventually(lambda: state_of(pid) != "T", "it goes on")
    assert supervisor.get().status == 200


def test_a_worker_that_is_slow(supervise):
    supervisor = supervise({"web": {}})
    before = supervisor.worker_pids()

    code, outcome, _ = drill(supervisor, "slow")

    assert code == 0
    assert supervisor.worker_pids() == before
    assert outcome["requests"]["lost"] == 0
    assert outcome["requests"]["slowest_seconds"] > 0.05


def test_an_ordinary_recycle(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    first, second = supervisor.worker_pids()

    code, outcome, _ = drill(supervisor, "recycle", "--worker", "1")

    assert code == 0
    assert supervisor.worker_pids()[0] == first and gone(second)
    assert outcome["requests"]["lost"] == 0
    assert "worker.recycled" in recorded(outcome)
    assert supervisor.metric("poolwarden_worker_recycles_total", reason="manual") == 1
    assert supervisor.metric("poolwarden_pool_rapid_fail_window_failures", pool="web") == 0


def test_the_failure_that_would_be_one_too_many_needs_yes(supervise):
    supervisor = supervise({"web": {"rapid_fail": {"failures": 2}}})
    assert drill(supervisor, "segv")[0] == 0
    survivor = supervisor.worker_pids()

    code, _, complaint = drill(supervisor, "abort")
    assert code == 1
    assert "number 2 of the 2" in complaint and "--yes" in complaint
    assert supervisor.worker_pids() == survivor
    assert drill(supervisor, "recycle")[0] == 0, "no failure, so no question"

    code, outcome, complaint = drill(supervisor, "abort", "--yes")
    assert code == 1
    assert "2 failures within 5m" in complaint
    assert "pool.rapid_fail" in recorded(outcome)
    assert outcome["requests"]["answered_by_gateway"]["503 rapid_fail"] > 0

    code, _, complaint = drill(supervisor, "segv", "--yes")
    assert code == 1 and "is out of service" in complaint


def test_what_is_lost_is_told(supervise):
    """The drill's own requests are GETs, and sent again; somebody else's POST is not."""
    supervisor = supervise({"web": {"concurrency": 64}})
    with Load(supervisor.port, "/slow?seconds=600", connections=1, limit=1, method="POST",
              body=b"x") as load:
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight") == 1, "a POST")
        code, outcome, _ = drill(supervisor, "segv")
        load.join()

    assert code == 0
    assert list(load.answers) == [(502, "worker_died")]
    assert outcome["requests"]["lost"] == 0
    assert outcome["requests_lost_total"]["worker_died"] == 1


def test_a_pool_without_http_has_no_load(supervise):
    supervisor = supervise({"job": {"command": "exec sleep 1000", "routes": []}})

    code, outcome, _ = drill(supervisor, "segv", pool="job")

    assert code == 0
    assert outcome["requests"] is None
    assert outcome["end"]["diagnosis"] == "segfault"
    assert outcome["replaced_after_seconds"] > 0


def test_nothing_is_done_where_no_request_is_answered(supervise):
    supervisor = supervise({"web": {}})
    before = supervisor.worker_pids()

    code, _, complaint = drill(supervisor, "segv", "--url", "unix:/nowhere", "--timeout", "300ms")

    assert code == 1
    assert "nothing was done" in complaint
    assert supervisor.worker_pids() == before


def test_a_worker_that_idles_is_woken_by_the_load(supervise):
    supervisor = supervise({"web": {"start": "on_demand"}}, wait="up")
    assert supervisor.workers() == []

    code, outcome, complaint = drill(supervisor, "segv")

    assert code == 0, complaint
    assert outcome["end"]["diagnosis"] == "segfault"


@pytest.mark.parametrize("words, complaint", [
    (["web", "explode"], "it is one of segv"),
    (["web", "exit=256"], "0 to 255"),
    (["web"], "say what to do"),
    (["web", "segv", "--url", "nowhere"], "--url"),
])
def test_wrong_usage(supervise, words, complaint):
    supervisor = supervise({"web": {}})
    result = supervisor.run("drill", *words)
    assert result.returncode == 2
    assert complaint in result.stderr


def test_as_text(supervise):
    supervisor = supervise({"web": {}})
    result = supervisor.run("drill", "web", "segv")
    assert result.returncode == 0
    for words in ("segv in pool web: worker 0", "lost 0", "another one serves after",
                  "segfault: was killed by SIGSEGV", "worker.exited"):
        assert words in result.stdout
    assert supervisor.run("drill", "wep", "segv").returncode == 1
