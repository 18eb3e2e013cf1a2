"""Death certificates on the disk: they outlive the supervisor, and no disk can harm it."""

import ctypes
import json
import os
import shutil
import signal
import subprocess

import pytest

from nearly import nearly
from test_why import why
from waiting import eventually

MNT_DETACH = 2  # umount2(2)
NOT_KEPT = "supervisor.certificates_not_kept"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB, mounted; call it with other options to mount it again with them."""
    place = tmp_path / "state"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place]).returncode != 0:
        pytest.skip("may not mount a file system here")

    def mount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)

    yield place, mount
    subprocess.run(["umount", "-l", place], check=True)


def numbers(supervisor, whom="web"):
    return [one["number"] for one in why(supervisor, whom, "--last", "100")["certificates"]]


def lines_in(folder):
    file = folder / "certificates.jsonl"
    return file.read_text().splitlines() if file.exists() else []


def kept_in(folder):
    """The certificates on the disk, newest first: of each number the last line counts."""
    certificates = {}
    for line in lines_in(folder):
        certificate = json.loads(line)
        del certificate["life"]
        certificates[certificate["number"]] = certificate
    return [certificates[number] for number in sorted(certificates, reverse=True)]


def numbers_in(folder):
    return [one["number"] for one in kept_in(folder)]


def settled(supervisor, folder):
    """Its certificates, when the disk has the same: more may become known of an end later."""
    def same():
        told = why(supervisor)["certificates"]
        return told if told == nearly(kept_in(folder)) else None
    return eventually(same, "the same on the disk")


def crash(supervisor, times=1):
    for _ in range(times):
        [pid] = supervisor.worker_pids()
        os.kill(pid, signal.SIGSEGV)
        eventually(lambda: supervisor.worker_pids() not in ([], [pid]), "the replacement")


def kill(supervisor):
    supervisor.process.kill()
    supervisor.process.wait(10)


def test_a_supervisor_that_is_killed_leaves_them_to_the_next(supervise, tmp_path):
    state = tmp_path / "state"  # made by the supervisor
    supervisor = supervise({"web": {}}, state=str(state))
    crash(supervisor, times=2)
    before = settled(supervisor, state)
    assert len(before) == 2

    kill(supervisor)
    supervisor.start()

    after = why(supervisor)
    assert after["certificates"] == nearly(before)
    assert [life["generation"] for life in after["history"]] == [1, 2, 1]
    assert [life.get("earlier_supervisor", False) for life in after["history"]] == [False, True, True]
    assert after["history"][2]["ended_because"] == "segfault"
    assert after["history"][2]["replaced_by"] == 2
    assert "before the supervisor was started again" in supervisor.run("why", "web").stdout
    crash(supervisor)
    assert numbers(supervisor) == [3, 2, 1]


def test_the_file_is_its_owners_only(supervise, tmp_path):
    state = tmp_path / "state"
    supervisor = supervise({"web": {}}, state=str(state))
    crash(supervisor)

    assert len(settled(supervisor, state)) == 1
    assert (state / "certificates.jsonl").stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700


def test_systemd_says_where(supervise, tmp_path):
    supervisor = supervise({"web": {}}, environment={"STATE_DIRECTORY": f"{tmp_path}:/other"})
    crash(supervisor)

    eventually(lambda: lines_in(tmp_path), "a certificate on the disk")


def test_without_a_state_directory_nothing_is_written(supervise):
    supervisor = supervise({"web": {}})
    crash(supervisor)
    kill(supervisor)
    supervisor.start()

    assert numbers(supervisor) == []


def test_a_full_disk_is_told_once_and_costs_nothing_in_memory(supervise, small_disk):
    place, mount = small_disk
    supervisor = supervise({"web": {}}, state=str(place))
    (place / "rest").write_bytes(b"x" * (60 * 1024))  # the certificates get the last page
    for _ in range(15):
        assert supervisor.run("recycle", "web", "--wait").returncode == 0

    [event] = eventually(lambda: supervisor.events_of(NOT_KEPT), "it is told")
    assert event["level"] == "warning"
    assert "No space left on device" in event["message"] and str(place) in event["message"]
    assert numbers(supervisor) == list(range(15, 0, -1))
    assert len(lines_in(place)) < 15
    assert all(json.loads(line) for line in lines_in(place)), "no line is cut"

    mount("size=2m")
    eventually(lambda: [one["number"] for one in kept_in(place)] == list(range(15, 0, -1)),
               "what had to wait is on the disk")
    eventually(lambda: f"certificates are written to {place} again" in supervisor.log_text(),
               "told that it works again")
    assert len(supervisor.events_of(NOT_KEPT)) == 1


def test_a_disk_that_cannot_be_written_to(supervise, small_disk):
    place, mount = small_disk
    mount("ro")
    supervisor = supervise({"web": {}}, state=str(place))
    crash(supervisor)

    [event] = eventually(lambda: supervisor.events_of(NOT_KEPT), "it is told")
    assert "Read-only file system" in event["message"]
    assert numbers(supervisor) == [1]
    assert supervisor.get().status == 200


@pytest.fixture
def hanging_disk(tmp_path):
    """A file system that never answers: its other end is a fuse(4) device that nobody reads."""
    place = tmp_path / "hangs"
    place.mkdir()
    if not os.path.exists("/dev/fuse"):
        pytest.skip("there is no fuse(4) here")
    end = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={end},rootmode=40000,user_id=0,group_id=0".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"hangs", bytes(place), b"fuse", 0, options) != 0:
        os.close(end)
        pytest.skip("may not mount a file system here")
    yield place
    os.close(end)
    libc.umount2(bytes(place), MNT_DETACH)


def test_a_disk_that_hangs_holds_up_no_start(supervise, hanging_disk):
    supervisor = supervise({"web": {}}, state=str(hanging_disk))

    [event] = supervisor.events_of(NOT_KEPT)
    assert f"no answer from {hanging_disk} for 5s" in event["message"]
    crash(supervisor)
    assert numbers(supervisor) == [1]


def test_a_directory_that_cannot_be_had_is_told_at_the_start(supervise, tmp_path):
    earlier = supervise({"web": {}}, state=str(tmp_path / "in" / "state"), wait="up")
    [event] = eventually(lambda: earlier.events_of(NOT_KEPT), "told before anybody died")
    assert "keeps death certificates in memory only: cannot make" in event["message"]
    eventually(earlier.worker_pids, "a worker")
    crash(earlier)

    (tmp_path / "in").mkdir()

    eventually(lambda: numbers_in(tmp_path / "in" / "state") == [1], "it is on the disk")
    assert len(earlier.events_of(NOT_KEPT)) == 1


def test_numbers_go_on_after_those_of_a_directory_that_comes_back(supervise, tmp_path):
    state, away = tmp_path / "in" / "state", tmp_path / "away"
    state.parent.mkdir()
    supervisor = supervise({"web": {}}, state=str(state))
    crash(supervisor, times=2)
    assert len(settled(supervisor, state)) == 2
    kill(supervisor)
    state.parent.rename(away)
    supervisor.start()
    crash(supervisor)

    away.rename(state.parent)

    eventually(lambda: numbers_in(state) == [3, 2, 1], "it has a number of its own")


def test_a_directory_that_was_removed_is_made_again(supervise, tmp_path):
    state = tmp_path / "state"
    supervisor = supervise({"web": {}}, state=str(state))
    crash(supervisor)
    assert len(settled(supervisor, state)) == 1

    shutil.rmtree(state)
    crash(supervisor)

    eventually(lambda: numbers_in(state) == [2], "the next one is in a new directory")


def test_an_answer_holds_so_much_and_says_what_it_leaves_out(supervise, tmp_path):
    wrote = [{"stream": "stderr", "line": "x" * 1000}] * 30
    with open(tmp_path / "certificates.jsonl", "w") as file:
        for number in range(1, 151):
            file.write(json.dumps({"number": number, "pool": "web", "worker": number % 10, "exit_code": 1,
                                   "ended": 1795342272, "output": wrote}) + "\n")
    supervisor = supervise({"web": {}}, state=str(tmp_path))

    result = supervisor.run("why", "web", "--last", "2000", "--json")

    answer = json.loads(result.stdout)
    shown = [one["number"] for one in answer["certificates"]]
    assert len(result.stdout) < 3 << 20
    assert shown == list(range(150, 150 - len(shown), -1)) and len(shown) < 150
    assert answer["left_out"] == 150 - len(shown)
    text = supervisor.run("why", "web", "--last", "2000").stdout
    assert f"{answer['left_out']} older certificates are left out" in text
    api = supervisor.admin("/api/v1/certificates?pool=web&last=2000")
    assert len(api.json) == len(shown) and "older ones are left out" in api.headers["Poolwarden-Note"]


def test_lines_that_cannot_be_read_are_skipped_and_told(supervise, tmp_path):
    supervisor = supervise({"web": {}}, state=str(tmp_path))
    crash(supervisor, times=2)
    assert len(settled(supervisor, tmp_path)) == 2
    kill(supervisor)
    first, *_, second = lines_in(tmp_path)
    (tmp_path / "certificates.jsonl").write_text(f"{first}\nrubbish\n{second[:-40]}")

    supervisor.start()

    [event] = supervisor.events_of(NOT_KEPT)
    assert "2 lines of the certificates" in event["message"]
    assert numbers(supervisor) == [1]
    crash(supervisor)
    eventually(lambda: len(lines_in(tmp_path)) >= 4, "the next one is on a line of its own")
    assert json.loads(lines_in(tmp_path)[-1])["number"] == 2


def test_one_directory_is_one_supervisors(supervise, tmp_path):
    first = supervise({"web": {}}, state=str(tmp_path))
    crash(first)
    before = settled(first, tmp_path)
    second = supervise({"web": {}}, state=str(tmp_path))

    [event] = second.events_of(NOT_KEPT)
    assert f"another supervisor has {tmp_path}" in event["message"]
    assert event["level"] == "warning" and "of its own" in event["message"]
    assert numbers(second) == []
    crash(second)
    assert numbers(second) == [1]
    assert [one["pid"] for one in kept_in(tmp_path)] == [one["pid"] for one in before]
    assert first.events_of(NOT_KEPT) == []


def test_many_crashes_fill_two_files_and_no_more(supervise, tmp_path):
    # Each certificate carries the 16 KiB that the worker wrote last.
    loud = ["sh", "-c", "head -c 16000 /dev/zero | tr '\\0' '\\1' | fold -w 500; exit 1"]
    supervisor = supervise({"job": {"command": loud, "routes": [], "rapid_fail": {"failures": 0}}},
                           wait="up", state=str(tmp_path))
    supervisor.run("scale", "job", "8")
    eventually(lambda: (tmp_path / "certificates.1.jsonl").exists(), "the second file", timeout=120)

    for file in tmp_path.iterdir():
        assert file.stat().st_size <= 4 * 1024 * 1024, file
    assert len(list(tmp_path.iterdir())) == 2
