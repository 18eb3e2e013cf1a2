"""The commands that speak to a running supervisor, and the truth of their exit codes."""

import json
import re
import subprocess
from pathlib import Path

from waiting import eventually


def test_status_shows_pools_and_workers(supervise):
    supervisor = supervise({"web": {"workers": 2}, "other": {"routes": [{"path": "/other"}]}})

    text = supervisor.run("status").stdout
    status = supervisor.status()

    assert "web" in text and "other" in text
    for pid in supervisor.worker_pids():
        assert str(pid) in text
    assert {pool["name"] for pool in status["pools"]} == {"web", "other"}
    assert [worker["slot"] for worker in supervisor.workers()] == [0, 1]


def test_status_names_no_process_where_there_is_none(supervise):
    supervisor = supervise({"web": {"command": ["/no/such/program"], "routes": []}}, wait="up")
    eventually(lambda: supervisor.pool()["state"] == "stopped", "its end")

    shown = supervisor.run("status").stdout

    assert "no gateway" in shown and "last failure: worker 0, exec_failed" in shown
    assert "pid 0" not in shown


def test_the_worker_that_answers_is_the_one_in_the_status(supervise):
    supervisor = supervise({"web": {}})
    about = supervisor.get("/info").json

    [worker] = supervisor.workers()

    assert about["pid"] == worker["pid"]
    assert int(about["generation"]) == worker["generation"]
    assert int(about["worker"]) == worker["slot"]


def test_events_tell_the_story(supervise):
    supervisor = supervise({"web": {}})
    supervisor.post("/exit?code=3")
    eventually(lambda: supervisor.get().status == 200, "the replacement")

    names = supervisor.event_names()

    assert names.index("worker.ready") < names.index("worker.exited")
    exited = next(event for event in supervisor.events() if event["event"] == "worker.exited")
    assert (exited["exit_code"], exited["diagnosis"]) == (3, "exit_nonzero")
    [line] = [line for line in supervisor.run("events", "--pool", "web").stdout.splitlines()
              if " worker.exited " in line]
    assert f"warning worker.exited pool=web worker=0 gen=1 pid={exited['pid']}: exited" in line
    assert "worker.exited" not in supervisor.run("events", "--pool", "other").stdout


def test_run_of_one_command_needs_no_file(supervise, program):
    supervisor = supervise({}, command=[program, "sample-worker"])

    assert supervisor.get("/any/path?at=all").status == 404  # by the worker
    assert supervisor.get("/info").json["pool"] == "default"


def test_version(supervise, program):
    result = subprocess.run([program, "version"], capture_output=True, text=True, timeout=30)

    assert result.returncode == 0
    assert "poolwarden" in result.stdout


def test_nobody_there_is_4(program, tmp_path):
    for command in (["status"], ["events"], ["start", "web"], ["stop", "web"], ["recycle", "web"]):
        result = subprocess.run([program, *command, "--control", str(tmp_path / "none")],
                                capture_output=True, text=True, timeout=30)
        assert result.returncode == 4, command
        assert result.stderr


def test_wrong_usage_is_2(program):
    for command in (["no-such-command"], ["status", "--no-such-option"], ["recycle"], ["start"]):
        result = subprocess.run([program, *command], capture_output=True, text=True, timeout=30)
        assert result.returncode == 2, command
        assert result.stderr


def test_a_pool_that_does_not_exist_is_1(supervise):
    supervisor = supervise({"web": {}})

    result = supervisor.run("recycle", "wbe")

    assert result.returncode == 1
    assert "wbe" in result.stderr


def test_recycle_waits_for_the_replacement(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    before = set(supervisor.worker_pids())

    assert supervisor.run("recycle", "web", "--wait").returncode == 0

    assert before.isdisjoint(supervisor.worker_pids())
    assert [worker["generation"] for worker in supervisor.workers()] == [2, 2]


def test_recycle_of_one_worker(supervise):
    supervisor = supervise({"web": {"workers": 2}})
    first, second = supervisor.worker_pids()

    assert supervisor.run("recycle", "web", "--worker", "1", "--wait").returncode == 0

    assert first in supervisor.worker_pids()
    assert second not in supervisor.worker_pids()


def test_a_recycle_that_fails_says_so_and_keeps_the_old_worker(supervise, program, tmp_path):
    broken = tmp_path / "broken"
    command = f"test -e {broken} && exit 5; exec {program} sample-worker"
    supervisor = supervise({"web": {"command": command}})
    [old] = supervisor.worker_pids()
    broken.touch()

    result = supervisor.run("recycle", "web", "--wait")

    assert result.returncode == 1
    assert supervisor.worker_pids() == [old]
    assert supervisor.get().json["pid"] == old


def test_check_and_schema_and_effective(program, tmp_path):
    file = tmp_path / "good.yaml"
    file.write_text("pools: {web: {command: [/bin/true], routes: [{path: /}]}}\n")

    assert subprocess.run([program, "check", str(file)], capture_output=True).returncode == 0
    effective = subprocess.run([program, "check", "--effective", str(file)], capture_output=True,
                               text=True)
    assert effective.returncode == 0
    assert "queue" in effective.stdout
    (tmp_path / "again.yaml").write_text(effective.stdout)
    assert subprocess.run([program, "check", str(tmp_path / "again.yaml")],
                          capture_output=True).returncode == 0
    schema = subprocess.run([program, "schema"], capture_output=True, text=True)
    assert json.loads(schema.stdout)["properties"]["pools"]


def test_the_configuration_in_the_readme_is_right(program, tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    [text] = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    file = tmp_path / "readme.yaml"
    file.write_text(text)

    result = subprocess.run([program, "check", str(file)], capture_output=True, text=True)

    assert result.returncode == 0, result.stdout + result.stderr
