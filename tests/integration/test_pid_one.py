"""As PID 1 of a container: reaps strangers, ends gracefully."""

import subprocess

import pytest

from waiting import eventually

AS_PID_ONE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def can_unshare():
    return subprocess.run([*AS_PID_ONE, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="no right to make a PID namespace")
def test_serves_reaps_and_ends(supervise, program):
    strangers = "( (exit 7) & ); ( (exit 0) & ); exec " + program + " sample-worker"
    supervisor = supervise({"web": {"command": strangers}}, prefix=AS_PID_ONE)

    assert supervisor.get().status == 200
    assert supervisor.metric("poolwarden_containment_info", pid1="true") == 1
    eventually(lambda: supervisor.metric("poolwarden_orphans_reaped_total") >= 2, "strangers reaped")
    assert supervisor.metric("poolwarden_worker_failures_total") == 0

    assert supervisor.stop() == 0


@pytest.mark.skipif(not can_unshare(), reason="no right to make a PID namespace")
def test_replaces_a_worker_that_crashes(supervise):
    supervisor = supervise({"web": {}}, prefix=AS_PID_ONE)
    supervisor.post("/fork?count=3")

    supervisor.post("/crash")

    eventually(lambda: supervisor.get().status == 200, "the replacement")
    assert supervisor.stop() == 0
