"""Limits that only a cgroup can keep, where there is none: nobody is left to believe that they hold."""

import json
import os
import subprocess

import pytest

from machine import WITHOUT_CGROUPS
from waiting import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may unmount")
LIMITS = {"memory": "64MiB", "memory_high": "32MiB", "pids": 10, "cpu": "10%", "cpu_weight": 200}


def start(supervise, limits, **settings):
    return supervise({"limited": {"command": ["sleep", "1000"], "routes": [], "limits": limits,
                                  **settings}}, wait="up", prefix=WITHOUT_CGROUPS)


def told(supervisor, event):
    return [found["message"] for found in supervisor.events_of(event, pool="limited")]


def doctor(supervisor):
    return subprocess.run([*WITHOUT_CGROUPS, supervisor.program, "doctor", str(supervisor.file)],
                          capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("limit", LIMITS)
def test_a_pool_with_such_a_limit_does_not_run_and_says_which_it_is(supervise, limit):
    supervisor = start(supervise, {limit: LIMITS[limit]})

    [message] = eventually(lambda: told(supervisor, "pool.start_failure"), "the end")

    assert f"cannot enforce limits.{limit}: no writable cgroup has the" in message
    assert "Grant poolwarden a writable cgroup" in message and "best_effort" in message
    assert f"cannot enforce limits.{limit}:" in doctor(supervisor)


def test_all_that_cannot_be_kept_are_named_at_once(supervise):
    supervisor = start(supervise, LIMITS)

    [message] = eventually(lambda: told(supervisor, "pool.start_failure"), "the end")

    assert all(f"cannot enforce limits.{limit}:" in message for limit in LIMITS)


def test_under_best_effort_it_runs_without_and_that_is_told_of_each(supervise):
    supervisor = start(supervise, LIMITS, containment="best_effort")

    eventually(lambda: told(supervisor, "worker.ready"), "a worker")

    messages = told(supervisor, "containment.degraded")
    named = {limit: [text for text in messages if text.startswith(f"cannot enforce limits.{limit}:")]
             for limit in LIMITS}
    assert all(len(texts) == 1 for texts in named.values()), json.dumps(messages, indent=2)
