"""limits.memory: the kernel kills the worker that passes it, in its own cgroup, and no other."""

import json
import os
from pathlib import Path

import pytest

from machine import CGROUPS, is_sanitized, memory_can_be_limited
from waiting import eventually, gone
from web import Load

OOM_KILLS = "poolwarden_pool_memory_events_total"
NEEDS_MEMORY = pytest.mark.skipif(not memory_can_be_limited(),
                                  reason="no writable cgroup with memory")

SMALL = 300 * 2**20

# Enters the cgroup $1, and sees all cgroups read-only from then on, as a container does.
ENTER = """
echo $$ > "$1/cgroup.procs" || exit 1; shift
for mount in $(awk '$(NF-2) ~ /^cgroup2?$/ { print $5 }' /proc/self/mountinfo); do
  mount -o remount,bind,ro "$mount" || exit 1
done
exec "$@"
"""


@NEEDS_MEMORY
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
    assert metrics.value(OOM_KILLS, pool="web", event="oom_kill") == 1


def in_use(group):
    """Bytes; without what the kernel takes back as soon as it needs some."""
    name = next(name for name in ("memory.current", "memory.usage_in_bytes")
                if (group / name).exists())
    counts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return int((group / name).read_text()) - int(counts["inactive_file"])


@pytest.fixture
def small_container(program):
    """A cgroup with 300 MiB of memory; what is started by the prefix has it and no other."""
    if is_sanitized(program):
        pytest.skip("sanitized, the supervisor and its workers do not fit into it")
    unified = (CGROUPS / "cgroup.controllers").exists()
    group = (CGROUPS if unified else CGROUPS / "memory") / f"story-{os.getpid()}"
    group.mkdir()
    limits = ["memory.max", "memory.swap.max"] if unified else [
        "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
    for limit, most in zip(limits, [SMALL, 0 if unified else SMALL]):
        if (group / limit).exists():
            (group / limit).write_text(str(most))
    yield ["unshare", "--mount", "--fork", "sh", "-c", ENTER, "sh", str(group)]
    eventually(lambda: not (group / "cgroup.procs").read_text(), "the container is empty")
    group.rmdir()


@NEEDS_MEMORY
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_container_without_cgroups_of_our_own_tells_of_its_kills(small_container, supervise):
    supervisor = supervise({"web": {"workers": 2}, "quiet": {"routes": [{"path": "/quiet"}]}},
                           prefix=small_container)
    assert supervisor.status()["supervisor"]["containment"]["cgroup"] in ("none", "v2_readonly")
    assert supervisor.metric(OOM_KILLS, pool="web", event="oom_kill") == 0

    supervisor.post("/leak?bytes=1GiB")
    eventually(lambda: len(supervisor.worker_pids()) == 2, "the replacement")

    def failures(diagnosis):
        return supervisor.metric("poolwarden_worker_failures_total", pool="web", diagnosis=diagnosis)

    eventually(lambda: failures("oom_killed") == 1, "the kill is told")
    assert failures("killed_external") == 0
    assert supervisor.metric(OOM_KILLS, pool="web", event="oom_kill") == 1
    assert supervisor.metric(OOM_KILLS, pool="quiet", event="oom_kill") == 0
    assert supervisor.metrics().matching(OOM_KILLS, event="high") == []  # nothing tells

    os.kill(supervisor.worker_pids()[0], 9)  # by nobody of the kernel

    eventually(lambda: failures("killed_external") == 1, "the other end")
    assert supervisor.metric(OOM_KILLS, pool="web", event="oom_kill") == 1


@NEEDS_MEMORY
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_idle_workers_leave_sooner_while_a_containers_memory_is_short(small_container, supervise):
    supervisor = supervise({"web": {"idle": {"after": "1h", "under_pressure": "100%"},
                                    "recycle": {"over_memory": "100%"}}},
                           prefix=small_container)
    used = in_use(Path(small_container[-1]))

    supervisor.post(f"/leak?bytes={SMALL * 85 // 100 - used}")  # from 80% on it is short
    [shortened] = eventually(lambda: supervisor.events_of("pool.idle_shortened"), "memory is short")
    assert (shortened["was"], shortened["aggressive"]) == (5192, False)

    assert supervisor.run("recycle", "web", "--wait").returncode == 0
    [restored] = eventually(lambda: supervisor.events_of("pool.idle_restored"), "it is not any more")
    assert restored["was"] == 5194
