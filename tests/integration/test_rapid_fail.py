"""Rapid-fail protection: a pool that fails again and again is taken out of service, and says so."""

import stat

import os

from waiting import eventually

FIVE_IN_FIVE_MINUTES = {"failures": 5, "within": "5m"}


def failing_until(flag, program):
    """A command that exits 1 until the file `flag` exists."""
    return ["/bin/sh", "-c", f"test -e {flag} || exit 1; exec {program} sample-worker"]


def recording_action(folder):
    """An action that appends its environment to a file, and that file."""
    record = folder / "actions"
    script = folder / "action"
    script.write_text(f"#!/bin/sh\n(env; echo ---) >> {record}\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return script, record


def disabled(supervisor, reason):
    return supervisor.metric("poolwarden_pool_disabled", pool="web", reason=reason) == 1


def test_five_failures_take_the_pool_out_until_it_is_started(supervise, program, tmp_path):
    flag = tmp_path / "repaired"
    script, record = recording_action(tmp_path)
    supervisor = supervise(
        {"web": {"command": failing_until(flag, program),
                 "rapid_fail": {**FIVE_IN_FIVE_MINUTES, "action": [str(script)]}}}, wait="up")

    eventually(lambda: disabled(supervisor, "rapid_fail"), "rapid-fail")
    answer = supervisor.get()
    assert (answer.status, answer.reason) == (503, "rapid_fail")
    eventually(lambda: supervisor.admin("/readyz").status == 503, "not ready")
    assert supervisor.admin("/healthz").status == 200
    assert supervisor.metric("poolwarden_pool_rapid_fail_trips_total", pool="web") == 1
    assert supervisor.metric("poolwarden_worker_failures_total", pool="web",
                             diagnosis="exit_nonzero") == 5
    assert supervisor.pool()["disabled"] == "rapid_fail"
    assert [event["was"] for event in supervisor.events_of("pool.rapid_fail")] == [5002]
    eventually(lambda: "rapid_fail" in supervisor.log_text(), "the log tells of it")

    eventually(lambda: record.exists() and "---" in record.read_text(), "the action")
    told = record.read_text()
    assert "POOLWARDEN_POOL=web" in told
    assert "POOLWARDEN_DIAGNOSIS=exit_nonzero" in told

    flag.touch()
    assert supervisor.run("start", "web", "--wait").returncode == 0
    eventually(lambda: supervisor.get().status == 200, "an answer after `start`")
    eventually(lambda: supervisor.admin("/readyz").status == 200, "ready again")
    assert not disabled(supervisor, "rapid_fail")
    assert record.read_text().count("---") == 1


def test_a_command_that_does_not_exist_disables_at_once(supervise):
    supervisor = supervise({"web": {"command": ["/opt/nowhere/server", "--fast"]}}, wait="up")

    eventually(lambda: disabled(supervisor, "start_failure"), "disabled")

    answer = supervisor.get()
    assert (answer.status, answer.reason) == (503, "start_failure")
    assert supervisor.metric("poolwarden_worker_start_failures_total", pool="web",
                             reason="exec_not_found") == 1
    assert supervisor.metric("poolwarden_pool_rapid_fail_trips_total", pool="web") == 0
    for told in ("/opt/nowhere/server", "No such file or directory"):
        eventually(lambda: told in supervisor.log_text(), f"the log tells of {told}")


def test_a_crash_of_a_serving_worker_counts(supervise):
    supervisor = supervise({"web": {"rapid_fail": {"failures": 2, "within": "5m"}}})

    assert supervisor.post("/crash?signal=SEGV").reason == "worker_died"
    eventually(lambda: supervisor.get().status == 200, "the replacement")
    supervisor.post("/crash?signal=ABRT")

    eventually(lambda: supervisor.get().reason == "rapid_fail", "rapid-fail")
    assert supervisor.metric("poolwarden_worker_failures_total", diagnosis="segfault") == 1
    assert supervisor.metric("poolwarden_worker_failures_total", diagnosis="abort") == 1


def test_other_pools_go_on(supervise):
    supervisor = supervise({
        "bad": {"command": ["/bin/false"], "routes": [{"path": "/bad"}]},
        "web": {},
    }, wait="up")

    eventually(lambda: supervisor.get("/bad").reason == "rapid_fail", "rapid-fail of bad")

    assert supervisor.get("/info").json["pool"] == "web"
    eventually(lambda: supervisor.admin("/readyz").status == 503, "not ready")


def test_retry_after_is_told_when_it_is_configured(supervise):
    supervisor = supervise({"web": {"command": ["/bin/false"],
                                    "rapid_fail": {"failures": 1, "retry_after": "30s"}}},
                           wait="up")

    answer = eventually(lambda: supervisor.get().reason == "rapid_fail" and supervisor.get(),
                        "rapid-fail")

    assert 1 <= int(answer.headers["Retry-After"]) <= 30


def test_when_open_reset_resets_the_connection(supervise):
    supervisor = supervise({"web": {"command": ["/bin/false"],
                                    "rapid_fail": {"failures": 1, "when_open": "reset"}}},
                           wait="up")
    eventually(lambda: disabled(supervisor, "rapid_fail"), "rapid-fail")

    def is_reset():
        try:
            supervisor.get()
        except ConnectionResetError:
            return True

    eventually(is_reset, "a reset connection")


def test_an_essential_pool_takes_the_supervisor_with_it(supervise):
    supervisor = supervise({"web": {"command": ["/bin/false"], "essential": True,
                                    "rapid_fail": {"failures": 2}}}, wait=None)

    assert supervisor.process.wait(60) == 10


def test_the_action_of_an_essential_pool_is_waited_for(supervise, tmp_path):
    told = tmp_path / "told"
    release = tmp_path / "release"
    os.mkfifo(release)
    action = ["/bin/sh", "-c", f"echo begun > {told}; read go < {release}; echo ended >> {told}"]
    supervisor = supervise({"web": {"command": ["/bin/false"], "essential": True,
                                    "rapid_fail": {"failures": 1, "action": action}}}, wait=None)
    eventually(lambda: "pool.stopped" in supervisor.log_text(), "the end of the pool")
    release.write_text("go\n")

    assert supervisor.process.wait(60) == 10
    assert told.read_text().split() == ["begun", "ended"]
