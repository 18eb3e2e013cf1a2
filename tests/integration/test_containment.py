"""Who workers and gateway run as, and what becomes of a worker that never gets ready."""

import os
import pwd

import pytest

from waiting import eventually

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")


def status_of(pid):
    """/proc/PID/status as a mapping."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as lines:
        return dict(line.strip().split(":\t", 1) for line in lines if ":\t" in line)


@AS_ROOT
def test_a_worker_runs_as_its_user_and_the_gateway_reaches_it(supervise):
    supervisor = supervise({"web": {"command": ["/proc/self/exe", "sample-worker"],
                                    "identity": {"user": "www-data", "umask": "0077",
                                                 "capabilities": []}}})
    user = pwd.getpwnam("www-data")
    [worker] = supervisor.worker_pids()

    status = status_of(worker)

    assert supervisor.get().json["pid"] == worker
    assert set(status["Uid"].split()) == {str(user.pw_uid)}
    assert set(status["Gid"].split()) == {str(user.pw_gid)}
    assert status["Umask"] == "0077"
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == 0


@AS_ROOT
def test_the_gateway_is_nobody_without_privileges(supervise):
    supervisor = supervise({"web": {}})

    status = status_of(supervisor.gateway_pid())

    assert set(status["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)}
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_a_worker_sees_its_surroundings(supervise, tmp_path):
    seen = tmp_path / "seen"
    supervisor = supervise({"web": {
        "command": f"env > {seen}.new; mv {seen}.new {seen}; exec sleep infinity",
        "ready": {"when": "started"}, "connect": "tcp", "directory": str(tmp_path),
        "environment": {"GREETING": "hello ${POOLWARDEN_POOL}"}}})

    eventually(seen.exists, "the worker's environment")
    variables = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    assert variables["POOLWARDEN_POOL"] == "web"
    assert variables["POOLWARDEN_WORKER"] == "0"
    assert variables["POOLWARDEN_GENERATION"] == "1"
    assert variables["POOLWARDEN_WORKER_THREADS"] == "20"
    assert variables["POOLWARDEN_IO_THREADS"] == "20"
    assert variables["HOST"] == "127.0.0.1" and variables["PORT"].isdigit()
    assert variables["PWD"] == str(tmp_path)
    assert variables["GREETING"] == "hello web"
    assert supervisor.workers()[0]["endpoint"] == f"127.0.0.1:{variables['PORT']}"


def test_each_worker_has_a_cgroup_of_its_own(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    containment = supervisor.status()["supervisor"]["containment"]["cgroup"]
    if containment == "none":
        pytest.skip("no cgroup can be made here")

    def cgroups(pid):
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as lines:
            return lines.read()

    first, second = (cgroups(pid) for pid in supervisor.worker_pids())
    assert first != second
    assert "web" in first and "web" in second


def test_a_worker_that_is_never_ready_is_given_up(supervise):
    supervisor = supervise({"web": {"environment": {"SAMPLE_NEVER_READY": "1"},
                                    "ready": {"timeout": "300ms"}, "stop": {"timeout": "300ms"},
                                    "rapid_fail": {"failures": 2}}}, wait="up")

    eventually(lambda: supervisor.get().reason == "rapid_fail", "rapid-fail")

    assert supervisor.metric("poolwarden_worker_failures_total", pool="web",
                             diagnosis="startup_timeout") == 2


def test_a_slow_start_is_waited_for(supervise):
    supervisor = supervise({"web": {"environment": {"SAMPLE_START_DELAY": "1s"}}}, wait="up")

    assert supervisor.get().status == 200  # it waited in the queue
