"""`poolwarden debug`: the next worker starts under a real debugger, tracer or the loader's own
tracing. What it finds is told, another worker serves meanwhile, and the one after it runs plain."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from machine import tracer_of
from waiting import eventually, gone
from web import Load

SHELL = "/bin/sh"


def end_of(supervisor, kind="worker.start_failed", **fields):
    """The last event of that kind."""
    ends = supervisor.events_of(kind, **fields)
    return ends[-1] if ends else None


def the_one_of_generation(supervisor, generation):
    """Its pid, once it is all that is left of its pool and serves."""
    workers = supervisor.workers(state=None)
    if len(workers) != 1 or workers[0]["state"] != "serving":
        return None
    return workers[0]["pid"] if workers[0]["generation"] == generation else None


def the_traced_one(supervisor):
    """Its pid, once it is all that is left of its pool and serves."""
    workers = supervisor.workers(state=None)
    if [worker["state"] for worker in workers] != ["serving"]:
        return None
    return workers[0]["pid"] if tracer_of(workers[0]["pid"]) else None


class Deploy:
    """A pool that serves until it is broken: then its next workers are that command instead."""

    def __init__(self, supervise, program, tmp_path, broken, pool=None, **options):
        # In the supervisor's folder, which is called as its mark: the pool's user gets there.
        flag = f"{tempfile.gettempdir()}/$STORY/broken"
        choose = f"if [ -e {flag} ]; then exec {broken}; fi; exec {program} sample-worker"
        self.supervisor = supervise({"web": {"command": [SHELL, "-c", choose], **(pool or {})}},
                                    **options)
        self.flag = self.supervisor.folder / "broken"

    def break_it(self):
        self.flag.touch()

    def mend(self):
        self.flag.unlink()

    def debug(self, *options):
        return self.supervisor.run("debug", "web", *options, timeout=120)


@pytest.fixture
def workers(program):
    return Path(program).parent / "tests" / "workers"


def assert_nothing_lost(load, supervisor):
    assert load.answers and set(load.answers) == {(200, None)}
    assert not load.broken
    assert supervisor.metric("poolwarden_http_requests_lost_total") == 0


def assert_next_one_is_plain(deploy, debugged_pid):
    """Serves, has no tracer, and nothing of the debugging in its environment."""
    supervisor = deploy.supervisor
    deploy.mend()
    before = supervisor.worker_pids()
    assert supervisor.run("recycle", "web", "--wait").returncode == 0
    pid, = supervisor.worker_pids()
    assert pid not in before and pid != debugged_pid
    assert tracer_of(pid) == 0
    assert b"LD_DEBUG" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert supervisor.get().status == 200


def crash_under(deploy, tool):
    """What `debug --wait` says of a worker that ends before it is ready, under a load."""
    supervisor = deploy.supervisor
    old, = supervisor.worker_pids()
    deploy.break_it()
    with Load(supervisor.port) as load:
        load.wait_for_more(20)
        result = deploy.debug("--with", tool, "--wait")
        load.wait_for_more(20)
    assert supervisor.worker_pids() == [old], "the old worker serves on"
    assert_nothing_lost(load, supervisor)
    assert supervisor.metric("poolwarden_pool_rapid_fail_window_failures", pool="web") == 0
    certificate = json.loads(supervisor.run("why", "web", "--json").stdout)["certificates"][0]
    assert certificate["debug_tool"] == tool
    return result


def test_gdb_shows_where_a_worker_crashes(supervise, program, tmp_path, workers):
    deploy = Deploy(supervise, program, tmp_path, f"{workers}/die segfault")

    result = crash_under(deploy, "gdb")

    assert result.returncode == 0, result.stderr
    assert "received signal SIGSEGV" in result.stdout
    assert re.search(r"#\d+ .*main", result.stdout), "a backtrace to main"
    end = end_of(deploy.supervisor)
    assert end["signal"] == "SIGSEGV" and end["diagnosis"] == "segfault"
    assert f"process {end['pid']}" in result.stdout
    eventually(lambda: "received signal SIGSEGV" in deploy.supervisor.log_text(),
               "also in the worker's output")
    assert_next_one_is_plain(deploy, end["pid"])


def test_gdb_shows_who_called_exit(supervise, program, tmp_path, workers):
    deploy = Deploy(supervise, program, tmp_path, f"{workers}/exit_with 3")

    result = crash_under(deploy, "gdb")

    assert result.returncode == 0, result.stderr
    assert "_exit" in result.stdout and "exited with code 03" in result.stdout
    assert end_of(deploy.supervisor)["exit_code"] == 3


def test_strace_shows_what_failed_and_how_it_ended(supervise, program, tmp_path, workers):
    broken = f"{SHELL} -c 'cat /no/such/setting; exit 3'"
    deploy = Deploy(supervise, program, tmp_path, broken)

    result = crash_under(deploy, "strace")

    assert result.returncode == 0, result.stderr
    assert '/no/such/setting' in result.stdout and "ENOENT" in result.stdout
    end = end_of(deploy.supervisor)
    assert end["exit_code"] == 3
    assert f"{end['pid']} +++ exited with 3 +++" in result.stdout
    trace = Path(re.search(r"the whole trace: (\S+)", result.stdout)[1])
    assert "execve(" in trace.read_text()
    assert trace.parent.stat().st_mode & 0o777 == 0o700
    assert_next_one_is_plain(deploy, end["pid"])


def test_the_loader_names_the_library_that_is_missing(supervise, program, tmp_path, workers):
    deploy = Deploy(supervise, program, tmp_path, f"{workers}/needs_library")

    result = crash_under(deploy, "loader")

    assert result.returncode == 0, result.stderr
    assert f"libanswer.so, which {workers}/needs_library needs, was not loaded" in result.stdout
    assert "/usr/lib/libanswer.so" in result.stdout, "where it was looked for"
    end = end_of(deploy.supervisor)
    assert end["exit_code"] == 127
    assert_next_one_is_plain(deploy, end["pid"])


def test_the_loader_says_why_it_refused_what_is_there(supervise, program, tmp_path, workers):
    folder = tmp_path / "foreign"
    folder.mkdir()
    library = bytearray((workers / "answer" / "libanswer.so").read_bytes())
    library[18:20] = b"\xb7\x00" if library[18:20] != b"\xb7\x00" else b"\x3e\x00"
    (folder / "libanswer.so").write_bytes(library)
    deploy = Deploy(supervise, program, tmp_path, f"{workers}/needs_library",
                    pool={"environment": {"LD_LIBRARY_PATH": str(folder)}})

    result = crash_under(deploy, "loader")

    assert f"{folder}/libanswer.so is there, but was made for" in result.stdout


def test_the_loader_says_so_for_a_program_without_one(supervise, tmp_path, program):
    busybox = Path("/bin/busybox")
    static = busybox if busybox.exists() else Path("/sbin/ldconfig")
    listed = subprocess.run(["ldd", static], capture_output=True, text=True, check=False)
    if "not a dynamic" not in listed.stdout + listed.stderr:
        pytest.skip("no static program here")
    supervisor = supervise({"web": {}, "static": {
        "command": [str(static), "--nonsense"], "routes": [], "start": "manual"}}, wait="up")

    assert supervisor.run("debug", "static", "--with", "loader").returncode == 0
    waiting = supervisor.run("debug", "static", "--with", "loader", "--wait", "--timeout", "0s")
    assert waiting.returncode == 3
    assert "is stopped: `poolwarden start` will do it" in waiting.stdout
    assert "is statically linked" in waiting.stdout
    assert supervisor.run("start", "static").returncode == 0
    eventually(lambda: supervisor.events_of("worker.debugged"), "debugged when it starts")


def test_as_long_as_it_takes_is_ten_times_as_long(supervise):
    """Under a tool: then it is killed as any other would be, and no rapid-fail protection counts it."""
    supervisor = supervise({"web": {}, "mute": {
        "command": ["/bin/sleep", "600"], "routes": [{"path": "/mute"}], "start": "manual",
        "ready": {"timeout": "200ms"}, "rapid_fail": {"failures": 1}}}, wait="up")
    eventually(lambda: supervisor.get().status == 200, "the other pool serves")

    assert supervisor.run("debug", "mute", "--with", "strace").returncode == 0
    assert supervisor.run("start", "mute").returncode == 0

    late = eventually(lambda: end_of(supervisor, "worker.debug_timeout"), "it is late", 60)
    assert late["was"] == 5209 and "under strace within 2s" in late["message"]
    tripped = eventually(lambda: end_of(supervisor, "pool.rapid_fail"), "the next one counts", 60)
    plain = end_of(supervisor, "worker.startup_timeout", pool="mute")
    assert plain["generation"] > late["generation"]
    assert supervisor.events_of("worker.startup_timeout", pool="mute") == [plain], "it alone"
    assert tripped["pool"] == "mute"


def test_gdbserver_waits_for_whoever_debugs(supervise, program, tmp_path, workers):
    deploy = Deploy(supervise, program, tmp_path, f"{workers}/die segfault")
    supervisor = deploy.supervisor
    deploy.break_it()

    ordered = deploy.debug("--with", "gdbserver")

    assert ordered.returncode == 0, ordered.stderr
    address = re.search(r"target remote (127\.0\.0\.1:\d+)", ordered.stdout)[1]
    begun = eventually(lambda: end_of(supervisor, "worker.debugged"), "it starts")
    assert "as long as it takes" in begun["message"]
    eventually(lambda: "Listening on port" in supervisor.log_text(), "gdbserver listens")
    with Load(supervisor.port) as load:
        load.wait_for_more(20)
        seen = subprocess.run(
            ["gdb", "-nx", "-batch", "-ex", "handle SIGSTOP nostop noprint nopass",
             "-ex", f"target remote {address}", "-ex", "continue", "-ex", "continue",
             "-ex", "backtrace", "-ex", "continue"],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        load.wait_for_more(20)
    assert "SIGSEGV" in seen.stdout, seen.stdout + seen.stderr
    end = eventually(lambda: end_of(supervisor, generation=begun["generation"]), "it ends")
    assert end["signal"] == "SIGSEGV"
    assert_nothing_lost(load, supervisor)
    assert_next_one_is_plain(deploy, end["pid"])


def test_a_debugged_worker_serves_like_any_other(supervise, program):
    """Its pid is its own: ready by notify, an inherited socket, the stop signal, its cgroup."""
    supervisor = supervise({"web": {"connect": "inherit", "ready": {"when": "notify"}}})
    with Load(supervisor.port) as load:
        load.wait_for_more(20)
        waited = supervisor.run("debug", "web", "--with", "gdb", "--wait", "--timeout", "0s")
        assert waited.returncode == 3
        pid = eventually(lambda: the_one_of_generation(supervisor, 2), "it serves alone")
        load.wait_for_more(50)
        debugger = tracer_of(pid)
        assert debugger != 0
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert f"LISTEN_PID={pid}\0".encode() in environment
        assert Path(f"/proc/{pid}/cgroup").read_text() == Path(f"/proc/{debugger}/cgroup").read_text()
        assert (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
                == str(supervisor.pid())), "it is the supervisor's child"

        assert supervisor.run("recycle", "web", "--wait").returncode == 0
        load.wait_for_more(20)
    assert_nothing_lost(load, supervisor)
    assert gone(pid) and gone(debugger)
    assert supervisor.events_of("worker.stopped", pid=pid)
    assert not supervisor.events_of("worker.stop_timeout")
    assert tracer_of(supervisor.worker_pids()[0]) == 0


@pytest.mark.parametrize("tool", ["gdb", "strace"])
def test_an_unhealthy_worker_with_a_tracer_is_left_alone(supervise, tool):
    supervisor = supervise({"web": {"health": {"ping": {"http": "/healthz", "interval": "100ms",
                                                        "timeout": "300ms"}}}})
    supervisor.run("debug", "web", "--with", tool, "--wait", "--timeout", "0s")
    # On a busy machine pings may have ended the first before the order is carried out.
    pid = eventually(lambda: the_traced_one(supervisor), "it serves under the tool")
    supervisor.get("/sick")
    left = eventually(lambda: end_of(supervisor, "worker.unhealthy_ignored"), "left alone")
    assert left["pid"] == pid and left["was"] == 5082
    assert supervisor.worker_pids() == [pid]


def test_as_another_user(supervise, program, tmp_path, workers):
    if os.getuid() != 0:
        pytest.skip("needs root, to run a worker as another user")
    deploy = Deploy(supervise, program, tmp_path, f"{workers}/die segfault",
                    pool={"identity": {"user": "nobody", "capabilities": []}})
    for tool, found in (("gdb", "received signal SIGSEGV"), ("strace", "killed by SIGSEGV")):
        result = crash_under(deploy, tool)
        assert result.returncode == 0, result.stderr
        assert found in result.stdout
        deploy.mend()


def test_an_order_is_called_off(supervise):
    supervisor = supervise({"web": {}})
    before = supervisor.worker_pids()
    assert "not being debugged" in supervisor.run("debug", "web", "--off").stdout
    assert supervisor.run("debug", "web", "--with", "gdbserver").returncode == 0
    eventually(lambda: "Listening on port" in supervisor.log_text(), "gdbserver listens")

    assert supervisor.run("debug", "web", "--off").returncode == 0
    eventually(lambda: len(supervisor.workers(state=None)) == 1, "only the old worker is left")
    assert supervisor.worker_pids() == before
    assert supervisor.run("recycle", "web", "--wait").returncode == 0


@pytest.mark.parametrize("words, complaint", [
    ([], "name the pool"), (["web"], "--with"), (["web", "--with", "gdbb"], 'did you mean "gdb"?'),
    (["web", "--with", "gdb", "--off"], "exclude each other"),
    (["web", "--with", "gdbserver", "--port", "99999"], '--port: expected a number from 1 to 65535'),
    (["web", "--with", "gdb", "--worker", "x"], '--worker: expected a number such as 0, got "x"'),
    (["web", "--with", "gdb", "--port", "2345"], "--port is for --with gdbserver"),
    (["web", "--off", "--host", "127.0.0.1"], "--host is for --with gdbserver"),
    (["web", "--with", "gdbserver", "--host", "nowhere.invalid"], "--host")])
def test_wrong_usage(program, words, complaint):
    result = subprocess.run([program, "debug", *words], capture_output=True, text=True, timeout=60,
                            check=False)
    assert result.returncode == 2 and complaint in result.stderr


def test_a_port_that_is_taken_is_refused_and_nothing_is_done(supervise):
    supervisor = supervise({"web": {}})
    pids = supervisor.worker_pids()

    result = supervisor.run("debug", "web", "--with", "gdbserver", "--port", str(supervisor.port))

    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{supervisor.port}: Address already in use" in result.stderr
    assert supervisor.worker_pids() == pids


def test_a_tool_that_is_not_there_is_told_with_its_package(supervise):
    """In a mount namespace in which the tool is no program."""
    hidden = "mount --bind /dev/null /usr/bin/strace"
    namespace = ["unshare", "--mount", "--fork", SHELL, "-c"]
    if subprocess.run([*namespace, hidden], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount namespace here")
    supervisor = supervise({"web": {}}, prefix=[*namespace, f'{hidden} && exec "$0" "$@"'])

    result = supervisor.run("debug", "web", "--with", "strace")

    assert result.returncode == 1
    assert "strace is not installed here" in result.stderr
    assert "apt-get install strace" in result.stderr
    failed = end_of(supervisor, "pool.debugger_failed")
    assert failed["was"] == 5208 and "strace is not installed" in failed["message"]
    assert supervisor.workers(state=None)[0]["generation"] == 1, "nothing was done to the pool"


def test_forbidden_tracing_is_told_with_the_flag(supervise, workers):
    """As in a container whose seccomp filter forbids ptrace(2)."""
    supervisor = supervise({"web": {}}, prefix=["unshare", "--fork", str(workers / "without_ptrace")])

    result = supervisor.run("debug", "web", "--with", "gdb")

    assert result.returncode == 1
    assert "seccomp" in result.stderr and "--cap-add SYS_PTRACE" in result.stderr
    assert "Kubernetes" in result.stderr
    assert end_of(supervisor, "pool.debugger_failed")["was"] == 5208
    assert supervisor.run("debug", "web", "--with", "loader", "--wait").returncode == 0
    assert supervisor.get().status == 200
