"""limits.cpu_weight: whose turn it is while a CPU is busy, by the kernel's own files and counts."""

import os
import subprocess

import pytest

from machine import cgroups_of, cpu_can_be_limited, cpu_ticks
from waiting import eventually

pytestmark = pytest.mark.skipif(not cpu_can_be_limited(), reason="no writable cgroup with cpu")

BURN = ["/bin/sh", "-c", "while :; do :; done"]
FILES = {"cpu.shares": 1024, "cpu.weight": 100}  # of v1, of v2: what all have that were given none


def weights_of(pid):
    """How many times the usual weight its own cgroup has, and that of its pool."""
    [(own, pool)] = [[int((folder / name).read_text()) / usual for folder in (group, group.parent)]
                     for group in cgroups_of(pid) for name, usual in FILES.items()
                     if (group / name).exists()]
    return own, pool


def test_it_is_the_kernels_until_a_reload_takes_it_back(supervise):
    supervisor = supervise({"web": {"limits": {"cpu_weight": 300}},
                            "plain": {"routes": [{"path": "/plain"}]}})
    [web], [plain] = supervisor.worker_pids("web"), supervisor.worker_pids("plain")

    assert weights_of(web) == (3, 3)
    assert weights_of(plain) == (1, 1)

    supervisor.change({"web": {}})
    assert supervisor.run("reload", "--wait").returncode == 0
    [next_one] = supervisor.worker_pids("web")
    assert next_one != web and weights_of(next_one) == (1, 1)


def test_who_has_more_of_it_has_more_of_a_busy_cpu(supervise):
    cpu = str(min(os.sched_getaffinity(0)))
    burning = {"command": BURN, "routes": []}
    supervisor = supervise({
        "heavy": {**burning, "limits": {"cpu_weight": 1000, "affinity": cpu}},
        "light": {**burning, "limits": {"cpu_weight": 10, "affinity": cpu}}}, wait="up")
    [heavy], [light] = (eventually(lambda pool=pool: supervisor.worker_pids(pool), pool)
                        for pool in ("heavy", "light"))
    before = cpu_ticks(heavy), cpu_ticks(light)

    eventually(lambda: cpu_ticks(heavy) - before[0] >= 50, "half a second of CPU time")

    assert (cpu_ticks(heavy) - before[0]) > 4 * (cpu_ticks(light) - before[1])


@pytest.mark.parametrize("weight", [10001, -1, "1%"])
def test_another_number_is_refused_with_the_range(program, tmp_path, weight):
    file = tmp_path / "poolwarden.yaml"
    file.write_text(f"pools: {{web: {{command: a, routes: [], limits: {{cpu_weight: {weight}}}}}}}")
    told = subprocess.run([program, "check", file], capture_output=True, text=True, check=False)
    assert told.returncode != 0
    assert "from 1 to 10000, or 0 for 100" in told.stdout + told.stderr
