"""`poolwarden demo`: no file needed, a page and commands to try, Ctrl-C ends it."""

import json
import shutil
import signal
import subprocess

import pytest

from exposition import parse_metrics
from machine import tracer_of
from supervisor import free_port
from waiting import eventually
from web import request


@pytest.fixture
def demo(program, tmp_path):
    port, admin = free_port(), free_port()
    output = tmp_path / "output"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [program, "demo", "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}",
             "--control", str(tmp_path / "control.sock")],
            stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    yield process, port, admin, output
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def answers(port, path):
    return request(port, path).status == 200


def test_shows_a_page_and_curl_lines_that_work(demo):
    process, port, admin, output = demo
    eventually(lambda: answers(port, "/") and answers(admin, "/readyz"), "the demo")

    page = request(port, "/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "pool" in page.text
    printed = output.read_text()
    assert "curl" in printed and str(port) in printed and str(admin) in printed

    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace here")
def test_its_workers_start_under_strace_too(demo, program, tmp_path):
    """Although what they run is named /proc/self/exe, which in strace would be strace."""
    _, port, _, _ = demo
    eventually(lambda: answers(port, "/info"), "the demo")

    def said(*words):
        return subprocess.run([program, *words, "--control", str(tmp_path / "control.sock")],
                              check=True, capture_output=True, text=True, timeout=60).stdout

    said("debug", "demo", "--with", "strace")

    def is_traced():
        return any(worker["state"] == "serving" and tracer_of(worker["pid"])
                   for worker in json.loads(said("status", "--json"))["pools"][0]["workers"])
    eventually(is_traced, "a worker that serves under strace")


def test_crash_and_come_back(demo):
    _, port, admin, _ = demo
    eventually(lambda: answers(port, "/info"), "the demo")

    assert request(port, "/crash", method="POST").status == 502

    eventually(lambda: answers(port, "/info"), "an answer after the crash")
    eventually(lambda: parse_metrics(request(admin, "/metrics").text).value(
        "poolwarden_worker_failures_total", diagnosis="segfault") == 1, "the diagnosis")
