"""kill -9 of the supervisor, when it is not PID 1: nothing of it stays, and it can start again."""

import os
import signal
import subprocess

from folders import folders_named
from waiting import eventually, gone


def test_no_worker_and_no_gateway_survives(supervise):
    supervisor = supervise({"web": {"workers": 3}})
    family = [*supervisor.worker_pids(), supervisor.gateway_pid()]
    assert len(family) == 4

    supervisor.process.kill()
    supervisor.process.wait(60)

    eventually(lambda: all(gone(pid) for pid in family), "the end of workers and gateway")


def test_the_next_one_cleans_up_and_serves(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    orphans = [int(pid) for pid in supervisor.post("/fork?count=4").text.split()]
    supervisor.process.kill()
    supervisor.process.wait(60)

    supervisor.start()

    assert supervisor.get().status == 200
    assert len(supervisor.worker_pids()) == 2
    eventually(lambda: all(gone(pid) for pid in orphans), "the end of what the first left behind")


def test_a_second_one_with_the_same_control_socket_is_refused(supervise):
    supervisor = supervise({"web": {}})

    second = supervisor.run("run", str(supervisor.file))

    assert second.returncode != 0
    assert supervisor.get().status == 200


def test_stopped_worker_processes_die_with_it_too(supervise):
    supervisor = supervise({"web": {}})
    [worker] = supervisor.worker_pids()
    os.kill(worker, signal.SIGSTOP)

    supervisor.process.kill()
    supervisor.process.wait(60)

    eventually(lambda: gone(worker), "the end of the stopped worker")


def test_grandchildren_die_without_cgroups_too(supervise):
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    supervisor = supervise({"web": {}}, prefix=nobody, in_own_folder=True)
    family = [int(pid) for pid in supervisor.post("/fork?count=4").text.split()]
    assert len(family) == 4

    supervisor.process.kill()
    supervisor.process.wait(60)

    eventually(lambda: all(gone(pid) for pid in family), "the end of the grandchildren")


def test_a_start_that_fails_leaves_nothing_behind(supervise, program):
    supervisor = supervise({"web": {}})
    other = str(supervisor.folder / "other.sock")

    second = subprocess.run([program, "run", str(supervisor.file), "--control", other],
                            capture_output=True, text=True, timeout=60)

    assert second.returncode == 1 and "cannot listen" in second.stderr
    assert leftovers(other) == []


def leftovers(control):
    """Directories of the supervisor with this control socket, named after a hash of its path."""
    number = 2166136261
    for byte in control.encode():
        number = (number ^ byte) * 16777619 % 2**32
    return [path for place in ("/run/poolwarden", "/sys/fs/cgroup")
            for path in folders_named(f"poolwarden-{number:08x}", place)]
