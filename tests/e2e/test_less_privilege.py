"""Containers with less: a read-only root, no capabilities, any user. All of it serves; what is lost is
said once, with the flag that grants it."""

import pytest

from waiting import eventually

CONTAINERS = {
    "read-only": ["--read-only"],
    "read-only with tmpfs": ["--read-only", "--tmpfs", "/run/poolwarden", "--tmpfs", "/tmp"],
    "no capabilities": ["--cap-drop", "ALL"],
    "any user": ["--user", "12345:0"],
    "root without capabilities": ["--user", "0", "--cap-drop", "ALL"],
    "root, read-only": ["--user", "0", "--read-only"],
    "the least of all": ["--user", "12345:0", "--read-only", "--cap-drop", "ALL",
                         "--security-opt", "no-new-privileges"],
}


@pytest.mark.parametrize("options", CONTAINERS.values(), ids=CONTAINERS.keys())
def test_serves_heals_recycles_and_stops(contain, options):
    container = contain({"web": {"workers": 2}}, options=options)
    assert container.poolwarden("healthcheck").stdout == "ready\n"

    before = container.worker_pids()
    container.post("/crash")
    eventually(lambda: len(container.worker_pids()) == 2 and container.worker_pids() != before,
               "the replacement")
    assert container.poolwarden("recycle", "web", "--wait").returncode == 0
    assert not set(container.worker_pids()) & set(before)
    assert container.get().status == 200

    told = [event["message"] for event in container.events("containment.degraded")]
    missing = container.status()["supervisor"]["containment"]["missing"]
    assert told == missing and len(set(told)) == len(told), told
    assert any("in Docker, start the container with" in sentence and "--cgroupns=host" in sentence
               for sentence in told)
    assert any("not as root" in sentence for sentence in told) == ("0" not in options)

    assert container.stop() == 0


def test_root_runs_workers_as_their_user_with_the_default_capabilities(contain):
    container = contain({"web": {"identity": {"user": "www-data"}}}, options=["--user", "0"])

    users = {arguments: uid for _, uid, arguments in container.processes()}
    assert [uid for arguments, uid in users.items() if "sample-worker" in arguments] == [33]
    assert [uid for arguments, uid in users.items() if "gateway" in arguments] == [65534]
    assert container.get().status == 200
    assert container.poolwarden("stop", "web", "--wait").returncode == 0


def test_a_user_that_could_not_be_ended_is_refused_at_the_start(contain):
    container = contain({"web": {"identity": {"user": "www-data"}}}, wait="ended",
                        options=["--user", "0", "--cap-drop", "KILL"])

    assert container.state["ExitCode"] == 1
    assert "--cap-add KILL" in container.logs()


def test_no_place_for_a_socket_is_said_with_its_cure(contain):
    container = contain({"web": {}}, wait="ended",
                        options=["--read-only", "--volume", "/dev/shm", "--ipc", "none"])

    assert container.state["ExitCode"] == 1
    assert "--tmpfs /run/poolwarden" in container.logs()


def test_the_termination_log_is_written_by_any_user(contain, tmp_path):
    """As the kubelet mounts it."""
    last_words = tmp_path / "termination-log"
    last_words.touch()
    last_words.chmod(0o666)
    tmp_path.chmod(0o755)
    container = contain({"web": {"essential": True, "rapid_fail": {"failures": 1}}},
                        options=["--volume", f"{last_words}:/dev/termination-log", "--read-only",
                                 "--user", "12345:0"])

    container.post("/crash")

    assert container.wait_ended() == 10
    assert "segfault" in last_words.read_text()
