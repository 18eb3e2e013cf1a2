"""`poolwarden healthcheck`: what /readyz says, as an exit code, within its own time."""

import os
import signal
import subprocess
from pathlib import Path

from waiting import eventually


def check(supervisor, *options):
    """Exit code, and the one line that says why."""
    result = supervisor.run("healthcheck", *options)
    return result.returncode, (result.stdout + result.stderr).strip()


def agrees(supervisor):
    """healthcheck and /readyz, asked until nothing changed between the two."""
    code, line = check(supervisor)
    return (code == 0) == (supervisor.admin("/readyz").status == 200) and (code, line)


def test_ready_is_0(supervise):
    supervisor = supervise({"web": {}})

    assert check(supervisor) == (0, "ready")
    assert check(supervisor, "--live") == (0, "alive")


def test_a_pool_that_starts_is_1_but_live(supervise):
    supervisor = supervise({"web": {}, "slow": {"routes": [{"path": "/slow"}],
                                               "environment": {"SAMPLE_NEVER_READY": "1"}}}, wait="up")

    eventually(lambda: check(supervisor) == (1, "poolwarden: pool slow: starting"), "only slow starts")
    assert supervisor.admin("/readyz").status == 503
    assert check(supervisor, "--live") == (0, "alive")


def test_rapid_fail_is_1_with_its_reason(supervise):
    supervisor = supervise({"web": {"rapid_fail": {"failures": 1}}, "other": {"routes": [{"path": "/o"}]}})
    supervisor.post("/crash")

    code, line = eventually(lambda: (found := agrees(supervisor)) and found[0] == 1 and found, "not ready")

    assert code == 1
    assert line.startswith("poolwarden: pool web: disabled (rapid_fail): ") and "other" not in line
    assert supervisor.run("start", "web", "--wait").returncode == 0
    assert check(supervisor)[0] == 0


def test_only_essential_pools_count_when_there_are_some(supervise):
    supervisor = supervise({"web": {"essential": True}, "other": {"routes": [{"path": "/o"}]}})
    assert supervisor.run("stop", "other", "--wait").returncode == 0

    assert check(supervisor) == (0, "ready")

    assert supervisor.run("stop", "web", "--wait").returncode == 0
    assert check(supervisor) == (
        1, "poolwarden: pool web: disabled (admin): stopped by an administrator")


def test_nobody_there_is_4(program, tmp_path):
    result = subprocess.run([program, "healthcheck", "--control", str(tmp_path / "none")],
                            capture_output=True, text=True, timeout=30)

    assert result.returncode == 4


def test_a_supervisor_that_stands_still_is_3(supervise):
    supervisor = supervise({"web": {}})
    os.kill(supervisor.pid(), signal.SIGSTOP)
    try:
        eventually(lambda: state_of(supervisor.pid()) == "T", "the supervisor stands still")
        for options in ([], ["--live"]):
            assert check(supervisor, *options) == (3, "poolwarden: the supervisor did not answer")
    finally:
        os.kill(supervisor.pid(), signal.SIGCONT)

    assert check(supervisor) == (0, "ready")


def test_the_socket_is_found_by_the_environment_of_both(supervise, program, tmp_path):
    """As in an image: ENV POOLWARDEN_CONTROL holds for `run` and for what asks it."""
    control = tmp_path / "named.sock"
    supervisor = supervise({"web": {}}, environment={"POOLWARDEN_CONTROL": str(control)})

    assert control.is_socket() and not supervisor.control.exists()
    result = subprocess.run([program, "healthcheck"], capture_output=True, text=True, timeout=30,
                            env={**os.environ, "POOLWARDEN_CONTROL": str(control)})
    assert (result.returncode, result.stdout) == (0, "ready\n")
    supervisor.control = control


def state_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
