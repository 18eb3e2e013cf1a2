"""limits.memory: the kernel kills the worker that passes it, in its own cgroup, and no other."""

import json

import pytest

from machine import memory_can_be_limited
from waiting import eventually, gone
from web import Load


@pytest.mark.skipif(not memory_can_be_limited(), reason="no writable cgroup with memory")
def test_only_the_worker_that_leaks_is_killed(supervise):
    supervisor = supervise({"web": {"workers": 2, "limits": {"memory": "256MiB"}}})
    before = set(supervisor.worker_pids())

    with Load(supervisor.port, "/info", connections=4) as load:
        load.wait_for_more(50)
        answer = supervisor.post("/leak?bytes=1GiB")
        assert (answer.status, answer.reason) == (502, "worker_died")
        load.wait_for_more(50)
        eventually(lambda: len(supervisor.worker_pids()) == 2, "the replacement")

    assert load.failures == []  # asked again of the sibling
    after = set(supervisor.worker_pids())
    [victim] = before - after
    [sibling] = before & after
    assert gone(victim) and not gone(sibling)
    metrics = supervisor.metrics()
    assert metrics.value("poolwarden_worker_failures_total", pool="web", diagnosis="oom_killed") == 1
    assert metrics.value("poolwarden_worker_failures_total", pool="web") == 1
    assert any("oom_killed" in json.dumps(event) for event in supervisor.events())
    assert "oom_killed" in supervisor.run("status").stdout
