"""What the supervisor counts of itself, what /proc tells of its workers, and `poolwarden metrics`."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from exposition import parse_metrics
from waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
STALLS = "poolwarden_event_loop_stalls_total"
ORDERS = "poolwarden_admin_requests_total"


def state_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_supervisor_that_stood_still_says_so(supervise):
    supervisor = supervise({"web": {}})
    pid = supervisor.pid()
    eventually(lambda: supervisor.metric("poolwarden_event_loop_lag_seconds_count") > 2, "beats")
    before = supervisor.metric(STALLS)
    late = supervisor.metric("poolwarden_event_loop_lag_seconds_bucket", le="0.25")

    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: state_of(pid) == "T", "it is stopped")
    begun = time.monotonic()
    eventually(lambda: time.monotonic() - begun > 1, "a second stood still")
    os.kill(pid, signal.SIGCONT)

    eventually(lambda: supervisor.metric(STALLS) >= before + 1, "the stall counted")
    metrics = supervisor.metrics()
    assert metrics.value("poolwarden_event_loop_lag_seconds_sum") > 0.25
    count = metrics.value("poolwarden_event_loop_lag_seconds_count")
    assert count - metrics.value("poolwarden_event_loop_lag_seconds_bucket", le="0.25") >= 1
    assert metrics.value("poolwarden_event_loop_lag_seconds_bucket", le="0.25") >= late


def test_requests_over_the_control_socket_are_counted_by_command_and_end(supervise):
    supervisor = supervise({"web": {}})

    def count(command, code):
        return supervisor.metric(ORDERS, command=command, code=code)

    assert count("recycle", "done") == 0 and count("unknown", "refused") == 0
    assert supervisor.run("recycle", "web", "--wait").returncode == 0
    assert supervisor.run("stop", "nobody").returncode == 1
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(supervisor.control))
        client.sendall(b'{"command": "no-such-command"}\n')
        assert b"exit" in client.recv(4096)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(supervisor.control))
        client.sendall(b'{"command": "events", "follow": true}\n')
        assert b"event" in client.recv(4096)
    supervisor.post("/exit?code=3")  # an event that nobody takes any more

    eventually(lambda: count("events", "hung_up") == 1, "the follower's end")
    assert count("recycle", "done") == 1
    assert count("stop", "failed") == 1
    assert count("unknown", "wrong_usage") == 1


def test_the_processes_of_a_pool_are_looked_at(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    pids = supervisor.worker_pids()

    def fds():
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)

    eventually(lambda: supervisor.metric("poolwarden_pool_open_fds") == fds(),
               "the descriptors of both workers")
    metrics = supervisor.metrics()
    threads = sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in pids)
    assert metrics.value("poolwarden_pool_threads") == threads
    assert 0 < metrics.value("poolwarden_pool_worst_fd_ratio") < 1
    assert metrics.value("poolwarden_pool_resident_memory_bytes") > 2 << 20


def test_metrics_come_over_the_control_socket_too(supervise):
    supervisor = supervise({"web": {"workers": 2}})

    result = supervisor.run("metrics")

    assert (result.returncode, result.stderr) == (0, "")
    printed = parse_metrics(result.stdout)
    assert printed.value("poolwarden_workers", pool="web") == 2
    names = {name for name, _, _ in printed.samples}
    assert names == {name for name, _, _ in supervisor.metrics().samples}


def test_the_catalogue_needs_no_supervisor(supervise, program):
    def describe(*options):
        result = subprocess.run([program, "metrics", "--describe", *options], capture_output=True,
                                text=True, timeout=30)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    catalogue = {metric["name"]: metric for metric in json.loads(describe("--json"))}
    page = (ROOT / "docs" / "metrics.md").read_text()
    shown = supervise({"web": {}}).metrics()

    assert page.endswith(describe("--markdown"))
    assert all(name in describe() for name in catalogue)
    for name, labels, _ in shown.samples:
        family = next(name.removesuffix(end) for end in ("", "_bucket", "_count", "_sum")
                      if name.removesuffix(end) in catalogue)
        known = {label["name"]: label["values"] for label in catalogue[family]["labels"]}
        assert labels.keys() - {"le"} == known.keys(), name
        for label, value in labels.items():
            assert known.get(label) is None or value in known[label], (name, label, value)


@pytest.mark.parametrize("options", [["--json"], ["--describe", "--json", "--markdown"]])
def test_what_does_not_go_together_is_refused(program, options):
    result = subprocess.run([program, "metrics", *options], capture_output=True, text=True, timeout=30)

    assert result.returncode == 2
    assert "--describe" in result.stderr or "exclude" in result.stderr
