"""What becomes known of a worker's end, at once and later: core file, where it stood, the requests
that it cut short, what its loader lacked, who had its port, where its threads hung."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from folders import let_everybody_into
from machine import WITHOUT_CGROUPS
from test_privileges import AS_NOBODY
from waiting import eventually, gone
from web import Load

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern").read_text().strip()
CORES = pytest.mark.skipif("/" in CORE_PATTERN or CORE_PATTERN[:1] in "|@",
                           reason="this machine's core files are not the worker's own")
GDB = pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to look into others' processes")


@pytest.fixture
def workers(program):
    return Path(program).parent / "tests" / "workers"


def dying(command, folder, **settings):
    """A pool of one worker that dies once by itself."""
    return {"command": command, "directory": str(folder), "routes": [],
            "rapid_fail": {"failures": 1}, **settings}


def certificates(supervisor, key, pool="web"):
    """Those of the pool's ends of which this is known; what takes its time comes after the end."""
    def told():
        result = supervisor.run("why", pool, "--json")
        known = json.loads(result.stdout)["certificates"] if result.returncode == 0 else []
        return [certificate for certificate in known if key in certificate]
    return eventually(told, f"a certificate with {key}", 60)  # a debugger takes its time


def the_end(supervisor, key, pool="web"):
    [certificate] = certificates(supervisor, key, pool)
    return certificate


def cores_in(folder):
    return [path for path in folder.iterdir() if path.name.startswith("core")]


@CORES
def test_a_core_file_is_found_and_tells_the_address(supervise, workers, tmp_path):
    pool = dying([str(workers / "die"), "segfault"], tmp_path, limits={"core": "infinite"})
    supervisor = supervise({"web": pool}, wait="up")

    end = the_end(supervisor, "core_file")

    [core] = cores_in(tmp_path)
    assert end["core_file"] == {"path": str(core), "bytes": core.stat().st_size}
    assert end["address"] == "0x10"
    assert end["si_code"] == 1  # SEGV_MAPERR
    assert end["diagnosis"] == "segfault"


@CORES
@pytest.mark.parametrize("how", ["stack_overflow", "stack_overflow_in_thread"])
def test_a_stack_that_ran_out_is_told_from_a_wild_pointer(supervise, workers, tmp_path, how):
    pool = dying([str(workers / "die"), how], tmp_path, limits={"core": "infinite"})
    supervisor = supervise({"web": pool}, wait="up")
    end = the_end(supervisor, "address")
    assert end["diagnosis"] == "stack_overflow"


@CORES
@GDB
def test_a_debugger_says_where_it_stood(supervise, workers, tmp_path):
    pool = dying([str(workers / "die"), "segfault"], tmp_path, limits={"core": "infinite"})
    supervisor = supervise({"web": pool}, wait="up")

    end = the_end(supervisor, "backtrace")

    assert any("touch_nothing" in frame for frame in end["backtrace"])
    assert any("main" in frame for frame in end["backtrace"])
    [told] = supervisor.events_of("worker.post_mortem")
    assert (told["certificate"], told["diagnosis"]) == (end["number"], "segfault")
    assert "it stood in #0" in told["message"]
    assert supervisor.metric("poolwarden_worker_failures_total") == 1, "it is counted once"


@CORES
@ROOT
def test_without_a_debugger_it_is_said_that_there_is_none(supervise, workers, tmp_path):
    """In a mount namespace in which neither is a program."""
    tools = [tool for tool in ("/usr/bin/gdb", "/usr/bin/eu-stack") if os.path.exists(tool)]
    hidden = " && ".join(["true", *(f"mount --bind /dev/null {tool}" for tool in tools)])
    namespace = ["unshare", "--mount", "--fork", "sh", "-c"]
    if subprocess.run([*namespace, hidden], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount namespace here")
    pool = dying([str(workers / "die"), "segfault"], tmp_path, limits={"core": "infinite"})
    supervisor = supervise({"web": pool}, wait="up",
                           prefix=[*namespace, f'{hidden} && exec "$0" "$@"'])

    end = the_end(supervisor, "why_no_backtrace")

    assert end["why_no_backtrace"] == "neither gdb nor eu-stack is installed"
    assert end["core_file"]["bytes"] > 0
    text = supervisor.run("why", "web").stdout
    assert "neither gdb nor eu-stack is installed" in " ".join(text.split())


@CORES
@GDB
@ROOT
@pytest.mark.parametrize("place", [[], WITHOUT_CGROUPS], ids=["here", "without_cgroups"])
def test_nobody_who_looks_outlives_the_supervisor(supervise, workers, tmp_path, place):
    """A debugger that hangs, and one whom it has started in a session of its own."""
    hanging = tmp_path / "gdb"
    pids = tmp_path / "pids"
    hanging.write_text("#!/bin/sh\nsetsid sleep 1000 &\n"
                       f"echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait\n")
    hanging.chmod(0o755)
    in_its_place = ["unshare", "--mount", "sh", "-c",
                    f'mount --bind {hanging} /usr/bin/gdb && exec "$@"', "sh"]
    if subprocess.run([*place, *in_its_place, "true"], check=False).returncode != 0:
        pytest.skip("no mount namespace here")
    pool = dying([str(workers / "die"), "segfault"], tmp_path, limits={"core": "infinite"})
    supervisor = supervise({"web": pool}, wait="up", prefix=[*place, *in_its_place])
    eventually(pids.exists, "the debugger runs", 60)
    lookers = [int(pid) for pid in pids.read_text().split()]
    assert len(lookers) == 2 and not any(gone(pid) for pid in lookers)

    os.kill(supervisor.pid(), signal.SIGKILL)
    supervisor.process.wait(60)

    eventually(lambda: all(gone(pid) for pid in lookers), "the end of who looked", 60)


@CORES
@GDB
@ROOT
def test_another_users_supervisor_looks_as_well(supervise, workers, tmp_path):
    let_everybody_into(tmp_path)
    os.chown(tmp_path, 65534, 65534)
    pool = dying([str(workers / "die"), "segfault"], tmp_path, limits={"core": "infinite"})
    supervisor = supervise({"web": pool}, wait="up", prefix=AS_NOBODY, in_own_folder=True)
    end = the_end(supervisor, "backtrace")
    assert any("touch_nothing" in frame for frame in end["backtrace"])


@CORES
@ROOT
def test_a_core_file_of_another_user_is_found(supervise, workers, tmp_path):
    let_everybody_into(tmp_path)
    os.chown(tmp_path, 65534, 65534)
    pool = dying([str(workers / "die"), "abort"], tmp_path, limits={"core": "infinite"},
                 identity={"user": "nobody"})
    supervisor = supervise({"web": pool}, wait="up")
    end = the_end(supervisor, "core_file")
    [core] = cores_in(tmp_path)
    assert end["core_file"]["path"] == str(core)
    assert core.stat().st_uid == 65534


@CORES
@ROOT
@pytest.mark.parametrize("may_look", [True, False])
def test_a_core_file_that_only_root_could_write(supervise, workers, tmp_path, may_look):
    """The kernel writes it as the worker, who may write anywhere; who looks may do less."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    without = [] if may_look else ["setpriv", "--bounding-set", "-dac_read_search"]
    pool = dying([str(workers / "die"), "abort"], folder, limits={"core": "infinite"})
    supervisor = supervise({"web": pool}, wait="up", prefix=without)

    told = the_end(supervisor, "core_file")["core_file"]

    [core] = cores_in(folder)
    if may_look:
        assert told["path"] == str(core)
    else:
        assert told["why_none"] == f"who looks for it may not look into {folder}: it may be there"


@CORES
def test_why_there_is_no_core_file(supervise, workers, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    let_everybody_into(tmp_path)
    command = [str(workers / "die"), "abort"]
    pools = {"none": dying(command, tmp_path),
             "small": dying(command, tmp_path, limits={"core": "8KiB"}),
             "locked": dying(command, locked, limits={"core": "infinite"},
                             identity={"user": "nobody"})}
    if os.geteuid() != 0:
        del pools["locked"]
    supervisor = supervise(pools, wait="up")

    reasons = {pool: the_end(supervisor, "core_file", pool)["core_file"]["why_none"]
               for pool in pools}

    assert reasons["none"] == "limits.core is 0"
    assert reasons["small"] == "it was cut off: limits.core is 8KiB"
    if "locked" in reasons:
        assert reasons["locked"] == f"the worker may not write to {locked}"


def test_requests_that_were_cut_short_are_named(supervise):
    supervisor = supervise({"web": {}})
    with Load(supervisor.port, "/hang?for=60s&token=secret", connections=2, limit=2):
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight") == 2, "in flight")
        os.kill(supervisor.worker_pids()[0], signal.SIGKILL)
        def cut():
            told = certificates(supervisor, "cut_requests")
            return told if len(told[0]["cut_requests"]) == 2 else None
        [told] = eventually(cut, "both requests")

    for request in told["cut_requests"]:
        assert (request["method"], request["path"]) == ("GET", "/hang")
        assert 0 <= request["age_seconds"] < 60
    told_of = json.dumps(supervisor.events())
    assert "/hang after" in told_of
    assert "secret" not in told_of + supervisor.run("why", "web", "--json").stdout


def test_a_request_that_takes_too_long_is_named(supervise):
    supervisor = supervise({"web": {"health": {"request_timeout": "1s"}}})
    with Load(supervisor.port, "/hang?for=60s", connections=1, limit=1):
        told = the_end(supervisor, "cut_requests")
    assert [request["path"] for request in told["cut_requests"]] == ["/hang"]


def test_where_a_worker_hangs_that_never_becomes_ready(supervise, tmp_path):
    pool = {"command": ["sleep", "1000"], "directory": str(tmp_path),
            "ready": {"when": "connect", "timeout": "1s"}, "rapid_fail": {"failures": 1}}
    supervisor = supervise({"web": pool}, wait="up")

    end = the_end(supervisor, "threads")

    [thread] = end["threads"]
    assert (thread["name"], thread["state"]) == ("sleep", "S")
    assert "nanosleep" in thread["waits_in"]


def test_who_has_the_port(supervise, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        text = f"listen tcp :{port}: bind: address already in use"
        pool = dying(["sh", "-c", f"echo '{text}' >&2; exit 1"], tmp_path)
        supervisor = supervise({"web": pool}, wait="up")
        end = the_end(supervisor, "port_holder")
    assert end["port_holder"]["port"] == port
    assert end["port_holder"]["pid"] == os.getpid()
    assert end["diagnosis"] == "port_in_use"


@ROOT
def test_others_of_its_user_have_no_hand_in_what_is_found(program):
    """Who looks belongs to the worker's user, and may yet not be traced by that."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        hand = subprocess.Popen(["bash", "-c", 'exec 3>&"$0"; exec "$@"', str(writing), program,
                                 "post-mortem-hand", "--", "listener", "", port],
                                pass_fds=[writing], user=65534)
        try:
            def waits_to_tell():
                return "pipe" in Path(f"/proc/{hand.pid}/wchan").read_text()
            eventually(waits_to_tell, "the hand has something to tell")
            assert os.stat(f"/proc/{hand.pid}/mem").st_uid == 0, "its memory is root's alone"
        finally:
            hand.kill()
            hand.wait()
            os.close(reading)
            os.close(writing)


def test_a_missing_library_is_named(supervise, workers, tmp_path):
    shutil.copy(workers / "needs_library", tmp_path)
    supervisor = supervise({"web": dying([str(tmp_path / "needs_library")], tmp_path)}, wait="up")
    end = the_end(supervisor, "loader")
    assert end["diagnosis"] == "loader_failed"
    [finding] = end["loader"]
    assert finding["object"] == str(tmp_path / "needs_library")
    assert finding["needed"].endswith("answer.so")
    assert "`poolwarden debug web --with loader`" in end["next_step"]


AARCH64, X86_64 = 183, 62
FOREIGN = X86_64 if os.uname().machine == "aarch64" else AARCH64
NAME_OF_FOREIGN = "x86_64" if FOREIGN == X86_64 else "aarch64"


def made_for(machine, source):
    """The file as if it were for another machine (e_machine of its ELF header)."""
    data = bytearray(source.read_bytes())
    struct.pack_into("<H", data, 18, machine)
    return data


def test_a_program_for_another_machine_is_told(supervise, workers, tmp_path):
    program = tmp_path / "foreign"
    program.write_bytes(made_for(FOREIGN, workers / "exit_with"))
    program.chmod(0o755)
    supervisor = supervise({"web": dying([str(program)], tmp_path)}, wait="up")
    [finding] = the_end(supervisor, "loader")["loader"]
    assert finding["found"] == str(program)
    assert finding["machine"] == NAME_OF_FOREIGN


@pytest.mark.parametrize("is_relative", [False, True], ids=["absolute", "relative"])
def test_a_library_for_another_machine_is_told(supervise, workers, tmp_path, is_relative):
    shutil.copy(workers / "needs_library", tmp_path)
    library = workers / "answer" / "libanswer.so"
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / library.name).write_bytes(made_for(FOREIGN, library))
    pool = dying([str(tmp_path / "needs_library")], tmp_path,
                 environment={"LD_LIBRARY_PATH": folder.name if is_relative else str(folder)})
    supervisor = supervise({"web": pool}, wait="up")
    def found():
        findings = the_end(supervisor, "loader")["loader"]
        return findings if "found" in findings[0] else None
    [finding] = eventually(found, "a library that does not fit")
    assert finding["found"] == str(folder / library.name)
    assert finding["machine"] == NAME_OF_FOREIGN


def test_a_daemon_is_known_by_what_it_leaves(supervise, workers, tmp_path):
    supervisor = supervise({"web": dying([str(workers / "daemonize")], tmp_path)}, wait="up")
    end = the_end(supervisor, "left_behind")
    assert [name.split()[1] for name in end["left_behind"]] == ["daemonize"]
    assert end["detail"] == "daemonized"
