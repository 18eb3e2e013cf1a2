"""`poolwarden doctor` in containers: what a container lacks is named with the flag that grants it, and
with that flag, taken from its own words, the next doctor finds nothing wrong."""

import json
import re
import shlex

LIMITED = {"web": {"limits": {"memory": "64MiB", "cpu": "50%", "pids": 64}}}


class Visit:
    """What doctor says in a container with these options."""

    def __init__(self, contain, pools, *options):
        self.container = contain(pools, wait="ended", options=options, command=["doctor", "--json"])
        self.exit_code = self.container.state["ExitCode"]
        said = [line for line in self.container.logs().splitlines() if line.startswith("{")]
        assert said, self.container.logs()
        self.report = json.loads(said[0])

    def found(self, result, subject=None):
        return [check for check in self.report["checks"]
                if check["result"] == result and subject in (None, check["subject"])]


def flags(check):
    """"start the container with --a b --c": the options in it, as a shell has them."""
    told = re.search(r"start the container with (.*?)(?:\. |$)", check["cure"])
    assert told, check
    return shlex.split(told.group(1))


def test_limits_need_the_flags_that_doctor_names(contain):
    before = Visit(contain, LIMITED)

    assert before.exit_code == 1
    assert "Docker container (/.dockerenv)" in before.report["host"]
    [limits] = before.found("problem")
    assert limits["subject"] == "limits" and limits["pool"] == "web"
    [cgroup] = before.found("note", "cgroup")
    assert "limits can be set on nothing" in cgroup["found"] and flags(cgroup) == flags(limits)
    assert [check["found"] for check in before.found("ok", "seccomp")] == ["a filter is in force"]

    after = Visit(contain, LIMITED, *flags(limits))

    assert (after.exit_code, after.found("problem")) == (0, [])
    assert after.found("ok", "limits") and after.found("ok", "cgroup")


def test_and_with_them_the_pool_really_runs_within_its_limits(contain):
    [limits] = Visit(contain, LIMITED).found("problem", "limits")

    container = contain(LIMITED, options=flags(limits))

    assert container.status()["supervisor"]["containment"]["missing"] == []
    assert container.get().status == 200


def test_best_effort_has_no_problem_and_a_note(contain):
    pools = {"web": {**LIMITED["web"], "containment": "best_effort"}}
    visit = Visit(contain, pools)

    assert (visit.exit_code, visit.found("problem")) == (0, [])
    assert visit.found("note", "limits")


def test_a_capability_that_is_missing(contain):
    pools = {"web": {"identity": {"user": "www-data"}}}
    without = ["--user", "0", "--cap-drop", "KILL"]
    [identity] = Visit(contain, pools, *without).found("problem")
    assert identity["subject"] == "identity" and flags(identity) == ["--cap-add", "KILL"]

    assert Visit(contain, pools, *without, *flags(identity)).found("problem") == []


def test_ptrace_and_the_kernel_log_are_had_with_the_flags_that_are_named(contain):
    pools = {"web": {"identity": {"user": "www-data"}}}
    visit = Visit(contain, pools, "--user", "0")
    [ptrace], [log] = visit.found("note", "ptrace"), visit.found("note", "kernel log")

    cured = Visit(contain, pools, "--user", "0", *flags(ptrace), *flags(log))

    assert cured.found("ok", "ptrace") and cured.found("ok", "kernel log")


def test_a_place_for_sockets(contain):
    without = ["--read-only", "--volume", "/dev/shm", "--ipc", "none"]
    [sockets] = Visit(contain, {"web": {}}, *without).found("problem", "sockets")
    assert "--tmpfs /run/poolwarden" in sockets["cure"]

    assert Visit(contain, {"web": {}}, *without, "--tmpfs", "/run/poolwarden").found("problem") == []


def test_what_the_container_has_for_its_own_image_is_enough(contain):
    """The image as it is, without a configuration from outside."""
    visit = Visit(contain, None)

    assert (visit.exit_code, visit.found("problem")) == (0, [])


def test_inside_a_container_that_serves(contain):
    container = contain({"web": {}})

    result = container.poolwarden("doctor")

    assert result.returncode == 0, result.stdout + result.stderr
    assert "a supervisor runs here" in result.stdout
    assert container.get().status == 200
