"""kill -9 of the supervisor, when it is not PID 1: nothing of it stays, and it can start again."""

import os
import signal

from waiting import eventually, gone


def test_no_worker_and_no_gateway_survives(supervise):
    supervisor = supervise({"web": {"workers": 3}})
    family = [*supervisor.worker_pids(), supervisor.gateway_pid()]
    assert len(family) == 4

    supervisor.process.kill()
    supervisor.process.wait(10)

    eventually(lambda: all(gone(pid) for pid in family), "the end of workers and gateway", 10)


def test_the_next_one_cleans_up_and_serves(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    orphans = [int(pid) for pid in supervisor.post("/fork?count=4").text.split()]
    supervisor.process.kill()
    supervisor.process.wait(10)

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
    supervisor.process.wait(10)

    eventually(lambda: gone(worker), "the end of the stopped worker", 10)
