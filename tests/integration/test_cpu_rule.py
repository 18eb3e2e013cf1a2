"""limits.cpu_action: what becomes of a worker that uses more CPU time than limits.cpu allows."""

import os

import pytest

from machine import CGROUPS, cpu_can_be_limited
from waiting import eventually, gone

NEEDS_CPU = pytest.mark.skipif(not cpu_can_be_limited(), reason="no writable cgroup with cpu")

# A worker, and a process that it started, share the burning; neither ends before it is told to.
BURN = ["/bin/sh", "-c", "(while :; do :; done) & while :; do :; done"]

# Sees all cgroups read-only, as a container does.
READ_ONLY = """
for mount in $(awk '$(NF-2) ~ /^cgroup2?$/ { print $5 }' /proc/self/mountinfo); do
  mount -o remount,bind,ro "$mount" || exit 1
done
exec "$@"
"""


def burning(action):
    return {"burn": {"command": BURN, "routes": [],
                     "limits": {"cpu": "2%", "cpu_action": action, "cpu_window": "2s"}},
            "calm": {"limits": {"cpu": "90%", "cpu_action": action}}}


def test_log_tells_in_each_window_and_leaves_the_worker_alone(supervise):
    supervisor = supervise(burning("log"))
    [worker] = supervisor.worker_pids("burn")

    told = eventually(lambda: supervisor.events_of("worker.over_cpu")[2:], "a third window")

    assert {event["pool"] for event in told} == {"burn"}
    assert told[0]["was"] == 5025
    assert "limits.cpu (2%)" in told[0]["message"]
    assert supervisor.worker_pids("burn") == [worker]
    assert not supervisor.events_of("worker.recycling")


def test_kill_replaces_the_worker_and_ends_all_that_it_started(supervise):
    supervisor = supervise(burning("kill"))
    eventually(lambda: supervisor.events_of("worker.recycled", pool="burn"), "the replacement")
    worker = supervisor.events_of("worker.spawned", pool="burn")[0]["pid"]

    assert gone(worker)
    assert supervisor.events_of("worker.over_cpu", pool="burn")
    assert supervisor.metric("poolwarden_worker_recycles_total", pool="burn", reason="cpu") >= 1
    assert supervisor.metric("poolwarden_worker_recycles_total", pool="calm", reason="cpu") == 0
    assert supervisor.metric("poolwarden_worker_failures_total", pool="burn") == 0


@NEEDS_CPU
def test_throttle_holds_it_there_and_tells_when_it_does_so_for_long(supervise):
    supervisor = supervise(burning("throttle"))

    [told, *_] = eventually(lambda: supervisor.events_of("worker.throttled"), "the event")

    assert told["pool"] == "burn" and told["was"] == 5210
    assert "was held back at limits.cpu (2%)" in told["message"]
    assert not supervisor.events_of("worker.over_cpu")


@pytest.mark.skipif(os.geteuid() != 0 or not CGROUPS.exists(), reason="only root may mount")
def test_without_a_cgroup_it_is_counted_all_the_same(supervise):
    supervisor = supervise(burning("kill"),
                           prefix=["unshare", "--mount", "--fork", "sh", "-c", READ_ONLY, "sh"])
    assert supervisor.status()["supervisor"]["containment"]["cgroup"] in ("none", "v2_readonly")
    eventually(lambda: supervisor.events_of("worker.recycled", pool="burn"), "the replacement")
    worker = supervisor.events_of("worker.spawned", pool="burn")[0]["pid"]

    assert gone(worker)
