"""`poolwarden debug` where the worker's user wishes for no good, or the kernel kills who traces: the
supervisor goes on serving, and the operator is told."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest

from waiting import eventually

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
NOBODY = pwd.getpwnam("nobody")
HANG_AT = Path(__file__).parent / "hang_at.py"
CAN_HANG = pytest.mark.skipif(not os.access("/dev/fuse", os.W_OK) or os.geteuid() != 0,
                              reason="no file system of our own can be mounted here")
AS_NOBODY = {"identity": {"user": "nobody", "capabilities": []}}


def folder_of(result):
    """Where the order says that the tool writes."""
    return Path(next(line for line in result.stdout.splitlines() if " goes to " in line)
                .split(" goes to ")[1].split(". ")[0].split(" and ")[0]).parent


def begun(supervisor, count):
    return len(supervisor.events_of("worker.debugged")) == count


def hands_of(supervisor):
    """The processes that try and make for its orders."""
    return subprocess.run(["pgrep", "-P", str(supervisor.pid()), "-f", "debug-hand (try|make|take)"],
                          capture_output=True, text=True, check=False).stdout


def beside_a_hung(folder, *options):
    """In a mount namespace in which nobody answers who looks at that folder."""
    folder.mkdir()
    return ("unshare", "--mount", "--propagation", "private", "/usr/bin/python3", HANG_AT, *options,
            folder)


def his_folder(supervisor):
    """One that belongs to the worker's user, and to which he gets."""
    folder = supervisor.folder / "his"
    folder.mkdir()
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    return folder


@AS_ROOT
def test_a_fifo_in_his_folder_holds_nobody_up(supervise):
    """Where the supervisor's script for gdb once lay, which it waited to write for ever."""
    supervisor = supervise({"web": AS_NOBODY})
    folder = his_folder(supervisor)
    os.mkfifo(folder / "commands.gdb", 0o666)

    result = supervisor.run("debug", "web", "--with", "gdb", "--output", str(folder))

    assert result.returncode == 0, result.stderr
    eventually(lambda: begun(supervisor, 1), "it starts under gdb")
    eventually(lambda: (folder / "gdb.txt").exists(), "gdb has read its script")
    assert supervisor.get().status == 200


@CAN_HANG
@pytest.mark.parametrize("settings", [{}, AS_NOBODY], ids=["as_we", "as_nobody"])
def test_a_folder_on_a_disk_that_hangs_holds_up_its_order_alone(supervise, tmp_path, settings):
    hung = tmp_path / "hung"
    supervisor = supervise({"web": settings}, prefix=beside_a_hung(hung))
    before = supervisor.worker_pids()

    with subprocess.Popen([supervisor.program, "debug", "web", "--with", "strace", "--output",
                           f"{hung}/traces", "--control", str(supervisor.control)],
                          stderr=subprocess.PIPE, text=True) as order:
        eventually(lambda: hands_of(supervisor), "it waits for the disk")
        # All of this is the supervision thread's to do.
        assert supervisor.run("recycle", "web", "--wait").returncode == 0
        told = order.communicate(timeout=60)[1]

    assert order.returncode == 1
    assert f"--output: {hung}/traces did not answer within 5s" in told
    failed = supervisor.events_of("pool.debugger_failed")
    assert failed[-1]["was"] == 5208 and "did not answer" in failed[-1]["message"]
    assert supervisor.worker_pids() != before and supervisor.get().status == 200
    eventually(lambda: not hands_of(supervisor), "none of its processes is left")
    again = supervisor.run("debug", "web", "--with", "strace")
    assert again.returncode == 0, again.stderr


@CAN_HANG
def test_processes_that_no_disk_lets_go_are_few(supervise, tmp_path):
    """They cannot be killed: each order for a folder there leaves one, until the disk answers."""
    hung = tmp_path / "hung"
    supervisor = supervise({"web": {}}, prefix=beside_a_hung(hung, "--taken"))

    def order():
        return supervisor.run("debug", "web", "--with", "strace", "--output", f"{hung}/traces")

    for _ in range(4):
        assert "did not answer within 5s" in order().stderr
    left = hands_of(supervisor)
    assert "the processes of 4 orders before it still wait" in order().stderr
    assert hands_of(supervisor) == left and len(left.split()) == 4
    assert supervisor.get().status == 200

    supervisor.process.send_signal(signal.SIGUSR1)
    eventually(lambda: not hands_of(supervisor), "the disk has let them go")
    again = supervisor.run("debug", "web", "--with", "strace")
    assert again.returncode == 0, again.stderr


@AS_ROOT
def test_no_link_of_his_leads_to_what_is_handed_over(supervise, tmp_path):
    supervisor = supervise({"web": AS_NOBODY})
    folder = his_folder(supervisor)
    (folder / "link").symlink_to(tmp_path)

    result = supervisor.run("debug", "web", "--with", "strace", "--output",
                            str(folder / "link" / "traces"))

    assert result.returncode == 1
    assert "without symbolic links" in result.stderr
    assert list(tmp_path.iterdir()) == []
    made = supervisor.run("debug", "web", "--with", "strace", "--output", str(folder / "traces"))
    assert made.returncode == 0, made.stderr
    assert (folder / "traces").stat().st_uid == NOBODY.pw_uid


def test_a_filter_that_kills_whoever_traces_is_told_at_once(supervise, program):
    """The try ends when its helper does: it is not waited for."""
    workers = Path(program).parent / "tests" / "workers"
    supervisor = supervise({"web": {}}, prefix=["unshare", "--fork", str(workers / "without_ptrace"),
                                                "--kill"])

    result = supervisor.run("debug", "web", "--with", "gdb")

    assert result.returncode == 1
    assert "who calls ptrace(2) is killed" in result.stderr and "--cap-add SYS_PTRACE" in result.stderr
    assert supervisor.get().status == 200
    assert hands_of(supervisor) == "", "none of its processes is left"


def test_refused_orders_cost_nobody_his_trace(supervise, tmp_path):
    supervisor = supervise({"web": {}})
    kept = supervisor.run("debug", "web", "--with", "strace")
    assert kept.returncode == 0, kept.stderr
    folder = folder_of(kept)
    eventually(lambda: (folder / "strace.txt").exists(), "the trace")

    for _ in range(9):
        refused = supervisor.run("debug", "web", "--with", "strace", "--worker", "77")
        assert refused.returncode == 1, refused.stdout

    assert (folder / "strace.txt").exists()
    eventually(lambda: os.listdir(folder.parent) == [folder.name], "nothing of the others is left")


def test_many_files_of_a_worker_hold_nobody_up(supervise):
    """They are removed beside the supervisor, which answers meanwhile."""
    supervisor = supervise({"web": {}})
    folders = []
    for _ in range(9):
        ordered = supervisor.run("debug", "web", "--with", "loader", "--wait")
        assert ordered.returncode == 0, ordered.stderr
        folders.append(folder_of(ordered))
        if len(folders) == 1:
            for number in range(20_000):
                (folders[0] / f"{number}").touch()
        assert supervisor.run("recycle", "web", "--wait").returncode == 0

    eventually(lambda: not folders[0].exists(), "the oldest makes room")
    eventually(lambda: not [name for name in os.listdir(folders[0].parent) if name.startswith(".")],
               "all of it is removed")
    assert all(folder.exists() for folder in folders[1:])
