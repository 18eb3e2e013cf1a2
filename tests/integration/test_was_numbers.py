"""Events by the numbers of WAS: what the table of deaths (deaths.py) does not bring about, and the
catalogue that `events --describe` shows without a supervisor."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from machine import WITHOUT_CGROUPS, cgroups_of, pids_can_be_limited
from waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
WITH_CGROUPS = pytest.mark.skipif(not pids_can_be_limited(), reason="no writable cgroup with pids")

# Of the source documents: each is to have its cause here.
OF_THE_SOURCES = {2269, *range(2276, 2283), 2294, 5009, 5021, 5022, 5025, 5028, 5057, 5058, 5167,
                  5208, 5210}


def describe(program, *options):
    return subprocess.run([program, "events", "--describe", *options], capture_output=True,
                          text=True)


def catalogue(program):
    return json.loads(describe(program, "--json").stdout)


def start_failure(supervisor):
    [event, *_] = eventually(lambda: supervisor.events_of("worker.start_failed"), "it failed")
    return event


def test_2276_it_ended_before_it_was_ready_for_no_better_reason(supervise):
    supervisor = supervise({"job": {"command": ["sh", "-c", "exit 3"], "routes": [],
                                    "ready": {"when": "notify"}}}, wait="up")

    failed = start_failure(supervisor)

    assert failed["was"] == 2276 and failed["diagnosis"] == "exit_nonzero"


def test_5058_no_such_processor(supervise):
    supervisor = supervise({"job": {"command": ["sleep", "infinity"], "routes": [],
                                    "limits": {"affinity": "1000"}}}, wait="up")

    failed = start_failure(supervisor)

    assert failed["was"] == 5058 and failed["stage"] == "limits"
    assert "limits.affinity" in failed["message"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may unmount")
def test_5060_a_limit_that_nothing_here_keeps(supervise):
    supervisor = supervise({"job": {"command": ["sleep", "infinity"], "routes": [],
                                    "limits": {"pids": 10}, "containment": "best_effort"}},
                           wait="up", prefix=WITHOUT_CGROUPS)

    told = eventually(lambda: supervisor.events_of("containment.degraded", pool="job"), "it is told")

    assert [(event["was"], event["level"]) for event in told] == [(5060, "warning")]
    assert [event["was"] for event in supervisor.events_of("supervisor.started")] == [5211]


def test_5054_and_5015_an_action_that_fails(supervise):
    ping = {"http": "/healthz", "interval": "200ms", "timeout": "1s"}
    supervisor = supervise({
        "job": {"command": ["sh", "-c", "exit 3"], "routes": [],
                "rapid_fail": {"failures": 1, "action": ["/bin/false"]}},
        "web": {"health": {"ping": ping}, "orphan": {"keep": True, "action": ["/bin/false"]}}},
        wait="up")
    eventually(lambda: supervisor.worker_pids(), "it serves")
    supervisor.post("/sick")

    for pool, number in {"job": 5054, "web": 5015}.items():
        [failed] = eventually(lambda: supervisor.events_of("hook.failed", pool=pool), pool)
        assert (failed["was"], failed["level"]) == (number, "error")


@WITH_CGROUPS
def test_5028_its_cgroup_is_somebody_elses(supervise):
    supervisor = supervise({"web": {}})
    [pid] = supervisor.worker_pids()
    stranger = subprocess.Popen(["sleep", "infinity"])
    taken = [leaf.parent / "0-2" for leaf in cgroups_of(pid) if leaf.name == "0-1"]
    try:
        for leaf in taken:
            leaf.mkdir()
            (leaf / "cgroup.procs").write_text(str(stranger.pid))
        supervisor.post("/crash")

        failed = start_failure(supervisor)

        assert taken and failed["was"] == 5028 and failed["stage"] == "cgroup"
        assert "cannot create cgroup" in failed["message"] and "0-2" in failed["message"]
        eventually(lambda: supervisor.worker_pids() not in ([], [pid]), "the one after it serves")
    finally:
        stranger.kill()
        stranger.wait()
        for leaf in taken:
            if leaf.exists():
                leaf.rmdir()


@WITH_CGROUPS
def test_5167_a_worker_that_something_took_out_of_its_cgroup(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    lost, other = supervisor.worker_pids()
    for leaf in cgroups_of(lost):
        top = next(parent for parent in leaf.parents if parent.is_mount())
        (top / "cgroup.procs").write_text(str(lost))

    [event] = eventually(lambda: supervisor.events_of("worker.untracked"), "it is told")

    assert event["was"] == 5167 and event["level"] == "warning" and event["pid"] == lost
    assert other in supervisor.worker_pids() and supervisor.get().status == 200
    assert supervisor.run("recycle", "web", "--wait").returncode == 0
    assert lost not in supervisor.worker_pids() and not os.path.exists(f"/proc/{lost}")
    assert [told["pid"] for told in supervisor.events_of("worker.untracked")] == [lost]


def test_the_catalogue_has_each_number_of_the_sources(program):
    numbers = {one["was"] for event in catalogue(program) for one in (event, *event["cases"])}

    assert OF_THE_SOURCES <= numbers


def test_the_catalogue_is_the_same_in_each_form_and_in_the_documentation(program):
    page = (ROOT / "docs" / "events.md").read_text()
    table = describe(program, "--markdown").stdout

    assert page.endswith(table) and table
    rows = [re.match(r"\| `([a-z_.]+)` \| (\w+) \| (\d*) \| (?:… )?(.*) \|$", row).groups()
            for row in table.splitlines()[2:]]
    told = [(event["name"], one["level"], str(one["was"] or ""),
             one.get("when") or one["meaning"])
            for event in catalogue(program) for one in (event, *event["cases"])]
    assert rows == told
    text = describe(program).stdout
    assert all(what in text for _, _, _, what in rows)


@pytest.mark.parametrize("options", [["--json", "--markdown"], ["--follow"], ["--pool", "web"]])
def test_describing_excludes_what_asks_a_supervisor(program, options):
    result = describe(program, *options)

    assert result.returncode == 2 and "exclude each other" in result.stderr
