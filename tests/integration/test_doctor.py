"""`poolwarden doctor`: pools that cannot run are told why before they are started, and are clean once
they are cured. Everything here is really broken, and really cured."""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from folders import folders_named
from machine import CGROUPS, children, memory_can_be_limited
from supervisor import free_port
from waiting import eventually

IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
X86_64, AARCH64 = 62, 183


class Clinic:
    """One pool, `web`, in a configuration of its own, and what doctor says of it."""

    def __init__(self, program):
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="pw-"))
        self.folder.chmod(0o755)  # its user passes through
        self.file = self.folder / "poolwarden.yaml"
        self.pool = {"command": ["/bin/sleep", "1"], "routes": [{"path": "/"}]}
        if IS_ROOT:
            self.pool["identity"] = {"user": "nobody"}
        self.settings = {"listen": f"127.0.0.1:{free_port()}", "admin": f"127.0.0.1:{free_port()}",
                         "control": str(self.folder / "control.sock")}

    def command(self, words, prefix):
        self.file.write_text(json.dumps({**self.settings, "pools": {"web": self.pool}}))
        return [*prefix, self.program, "doctor", str(self.file), *words]

    def run(self, *words, prefix=()):
        return subprocess.run(self.command(words, prefix), capture_output=True, text=True,
                              timeout=60)

    @contextmanager
    def started(self, *words, prefix=()):
        """The process of the prefix, which has doctor as its child."""
        with subprocess.Popen(self.command(words, prefix), stdout=subprocess.PIPE,
                              text=True) as process:
            try:
                yield process
            finally:
                for pid in children(process.pid) if process.poll() is None else []:
                    os.kill(pid, signal.SIGKILL)
                process.kill()

    def report(self, *words, prefix=()):
        result = self.run("--json", *words, prefix=prefix)
        assert result.returncode in (0, 1), result.stderr
        report = json.loads(result.stdout)
        assert (result.returncode == 0) == (report["problems"] == 0)
        return report

    def checks(self, result, pool="web"):
        return [check for check in self.report()["checks"]
                if check["result"] == result and check["pool"] == pool]

    def problem(self):
        """The only one; its cause and cure are told in the table, too."""
        [found] = self.checks("problem")
        table = " ".join(self.run().stdout.split())
        for key in ("found", "cause", "cure"):
            assert " ".join(found[key].split()) in table
        return found

    def is_well(self):
        found = self.checks("problem")
        assert not found, found
        assert self.run().returncode == 0

    def script(self, text, name="run", mode=0o755):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        self.pool["command"] = [str(path)]
        return path


def cgroups_of_doctor(pid):
    return folders_named(f"poolwarden-doctor-{pid}", CGROUPS)


@pytest.fixture
def clinic(program):
    clinic = Clinic(program)
    yield clinic
    shutil.rmtree(clinic.folder)


def test_a_pool_that_can_run_is_clean(clinic):
    clinic.is_well()

    table = clinic.run().stdout
    assert "pool web" in table and "containment" in table
    assert max(map(len, table.splitlines())) <= 80


# The program


def test_a_missing_program(clinic):
    clinic.pool["command"] = ["no-such-program"]
    found = clinic.problem()
    assert found["subject"] == "program" and "no-such-program" in found["found"]
    assert "PATH" in found["cure"]

    (clinic.folder / "no-such-program").symlink_to("/bin/sleep")
    clinic.pool["environment"] = {"PATH": f"{clinic.folder}:/bin"}
    clinic.is_well()


def test_a_program_that_is_named_by_its_path_and_missing(clinic):
    path = clinic.folder / "run"
    clinic.pool["command"] = [str(path)]
    assert clinic.problem()["found"] == f"{path} does not exist"

    clinic.script("#!/bin/sh\n")
    clinic.is_well()


def test_a_directory_on_the_way_that_is_missing(clinic):
    clinic.pool["command"] = [str(clinic.folder / "app" / "bin" / "run")]
    assert f"the directory {clinic.folder}/app does not exist" in clinic.problem()["cause"]


def test_a_program_that_may_not_be_executed(clinic):
    path = clinic.script("#!/bin/sh\n", mode=0o644)
    found = clinic.problem()
    assert found["found"] == f"{path} may not be executed" and "-rw-r--r--" in found["cause"]
    assert found["cure"] == f"chmod +x {path}"

    subprocess.run(found["cure"].split(), check=True)
    clinic.is_well()


@needs_root
def test_a_directory_that_the_pools_user_may_not_enter(clinic):
    """Root may: only who looks as the pool's user sees it."""
    folder = clinic.folder / "app"
    folder.mkdir(mode=0o700)
    shutil.copy(clinic.script("#!/bin/sh\n"), folder / "run")
    clinic.pool["command"] = [str(folder / "run")]
    found = clinic.problem()
    assert f"the directory {folder} may not be entered" in found["cause"]
    assert "drwx------ root root" in found["cause"]
    assert found["cure"].startswith(f"chmod o+x {folder},")

    del clinic.pool["identity"]
    clinic.is_well()
    clinic.pool["identity"] = {"user": "nobody"}
    folder.chmod(0o711)
    clinic.is_well()


@needs_root
def test_a_directory_for_a_group_is_open_to_its_members(clinic):
    folder = clinic.folder / "app"
    folder.mkdir()
    os.chown(folder, 0, 4242)
    folder.chmod(0o710)
    shutil.copy(clinic.script("#!/bin/sh\n"), folder / "run")
    clinic.pool["command"] = [str(folder / "run")]
    assert "drwx--x--- root 4242" in clinic.problem()["cause"]

    clinic.pool["identity"]["groups"] = ["4242"]
    clinic.is_well()


@needs_root
@pytest.mark.parametrize("option, problems", [("noexec", 1), ("exec", 0)])
def test_a_file_system_without_exec(clinic, option, problems):
    folder = clinic.folder / "app"
    folder.mkdir()
    clinic.pool["command"] = [str(folder / "sleep")]
    mounted = f"mount -t tmpfs -o mode=755,{option} none {folder} && cp /bin/sleep {folder} && exec "
    prefix = ("unshare", "--mount", "sh", "-c", mounted + '"$0" "$@"')
    found = [check for check in clinic.report(prefix=prefix)["checks"]
             if check["result"] == "problem"]
    assert ["mounted noexec" in check["cause"] for check in found] == [True] * problems


def test_a_link_that_leads_nowhere(clinic):
    path = clinic.folder / "run"
    path.symlink_to(clinic.folder / "gone")
    clinic.pool["command"] = [str(path)]
    assert f"a link to {clinic.folder}/gone, which is missing" in clinic.problem()["cause"]

    (clinic.folder / "gone").symlink_to("/bin/sleep")
    clinic.is_well()


def test_an_interpreter_in_a_directory_that_is_not_there(clinic):
    path = clinic.script("#!/opt/no-such-place/python3\n")
    found = clinic.problem()
    assert found["cause"] == "the directory /opt/no-such-place does not exist"
    assert found["cure"] == f"create it, or correct the path in the first line of {path}"


@pytest.mark.parametrize("line, cause", [
    ("#!/usr/bin/no-such-python", "/usr/bin/no-such-python does not exist"),
    ("#!/usr/bin/env no-such-python", "cannot find 'no-such-python' in PATH"),
    ("#!/usr/bin/env -S no-such-python -u", "cannot find 'no-such-python' in PATH"),
    ("#!/usr/bin/env python3 -u", 'a program named "python3 -u"'),
    ("#!/bin/sh\r", "ends as Windows' lines do"),
    ("#!", "names no interpreter"),
    ("echo hello", "is no program"),
    ("", "is empty"),
])
def test_an_interpreter_that_is_not_there(clinic, line, cause):
    clinic.script(line + "\n" if line else "")
    found = [check for check in clinic.checks("problem") + clinic.checks("note")
             if check["subject"] in ("interpreter", "program")]
    assert [cause in check["found"] for check in found] == [True], found
    assert found[0]["cure"] and "configuration" not in found[0]["cure"]

    clinic.script("#!/bin/sh\n")
    clinic.is_well()


def test_scripts_of_scripts_are_followed_to_the_last(clinic):
    first = clinic.script("#!/bin/sh\n", "first")
    second = clinic.script(f"#!{first}\n", "second")
    clinic.script(f"#!{second} -x\n", "third")
    clinic.is_well()

    first.write_text("#!/no/such/shell\n")
    assert "/no/such/shell" in clinic.problem()["found"]


@needs_root
def test_a_script_that_its_interpreter_may_not_read(clinic):
    path = clinic.script("#!/bin/sh\n", mode=0o711)
    [found] = [check for check in clinic.checks("note") if check["subject"] == "program"]
    assert f"{path} may not be read" in found["found"] and found["cure"].endswith(f"chmod +r {path}")


@pytest.mark.parametrize("name", ["pipe", "/dev/null"])
def test_a_program_that_is_no_file(clinic, name):
    path = clinic.folder / name
    if name == "pipe":
        os.mkfifo(path)
        path.chmod(0o755)
    clinic.pool["command"] = [str(path)]
    assert clinic.problem()["found"] == f"{path} is no regular file"


# What does not answer


HANG_AT = Path(__file__).parent / "hang_at.py"
can_hang = pytest.mark.skipif(not os.access("/dev/fuse", os.W_OK) or not IS_ROOT,
                              reason="no file system of our own can be mounted here")


def beside_a_hung_directory(folder):
    """In a mount namespace in which nobody answers who looks at that directory."""
    folder.mkdir()
    return ("unshare", "--mount", "--propagation", "private", "/usr/bin/python3", HANG_AT, folder)


@can_hang
@pytest.mark.parametrize("subject, pool", [
    ("program", {"command": ["{hung}/app/run"]}),
    ("program", {"command": ["sleep"], "environment": {"PATH": "{hung}:/bin"}}),
    ("directory", {"directory": "{hung}/app"}),
])
def test_a_file_system_that_hangs(clinic, subject, pool):
    hung = clinic.folder / "hung"
    prefix = beside_a_hung_directory(hung)
    clinic.pool.update(json.loads(json.dumps(pool).replace("{hung}", str(hung))))

    report = clinic.report("--timeout", "1s", prefix=prefix)

    [found] = [check for check in report["checks"] if check["result"] == "problem"]
    assert found["subject"] == subject and found["pool"] == "web"
    assert "does not answer: given up after 1s" in found["found"]
    if "PATH" not in json.dumps(pool):
        assert f"{hung} (fuse, of nobody)" in found["cause"]
    assert "--timeout" in found["cure"]
    assert {check["subject"] for check in report["checks"]} >= {"identity", "listen", "cgroup"}


@can_hang
def test_a_configuration_that_hangs(clinic):
    hung = clinic.folder / "hung"
    prefix = beside_a_hung_directory(hung)

    result = subprocess.run([*prefix, clinic.program, "doctor", hung / "poolwarden.yaml", "--json",
                             "--timeout", "1s"], capture_output=True, text=True, timeout=60)

    assert result.returncode == 1, result.stderr
    [found] = [check for check in json.loads(result.stdout)["checks"]
               if check["result"] == "problem"]
    assert found["subject"] == "configuration" and "does not answer" in found["found"]


@can_hang
@pytest.mark.skipif(not memory_can_be_limited(), reason="no memory cgroup can be written here")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_its_cgroups_go_with_it(clinic, how):
    hung = clinic.folder / "hung"
    clinic.pool["directory"] = str(hung / "app")
    prefix = ("env", "--default-signal=INT", *beside_a_hung_directory(hung))
    with clinic.started("--timeout", "10m", prefix=prefix) as beside:
        [doctor] = eventually(lambda: children(beside.pid), "doctor runs")
        eventually(lambda: cgroups_of_doctor(doctor), "cgroups to try limits in")

        os.kill(doctor, how)

        eventually(lambda: not cgroups_of_doctor(doctor), "none of them is left")
        assert beside.stdout.read() == "", "it was ended before it was done"


@pytest.mark.skipif(not memory_can_be_limited(), reason="no memory cgroup can be written here")
def test_killed_while_it_makes_its_cgroups(clinic):
    clinic.pool["limits"] = {"memory": "64MiB"}
    told = clinic.folder / "calls"
    making = "/^mkdir(at)?$"
    killed_at_the_second = ("strace", "--output", told, "--trace", making,
                            "--inject", f"{making}:signal=KILL:when=2")

    assert clinic.run(prefix=killed_at_the_second).returncode == -signal.SIGKILL

    [doctor] = set(re.findall(r"/poolwarden-doctor-(\d+)\".* = 0$", told.read_text(), re.M))
    eventually(lambda: not cgroups_of_doctor(doctor), "none of them is left")


# What ELF files say


def elf_header(machine, kind=2):
    """The 64 bytes that a program begins with (elf(5)): no segments, no sections."""
    return struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, kind, machine, 1,
                       0x400000, 64, 0, 0, 64, 56, 0, 64, 0, 0)


def test_a_program_for_another_machine(clinic):
    other, name = (AARCH64, "aarch64") if os.uname().machine == "x86_64" else (X86_64, "x86_64")
    path = clinic.folder / "run"
    path.write_bytes(elf_header(other))
    path.chmod(0o755)
    clinic.pool["command"] = [str(path)]
    found = clinic.problem()
    assert found["found"] == f"{path} was made for {name}"
    assert os.uname().machine in found["cause"]

    path.unlink()
    shutil.copy("/bin/sleep", path)
    clinic.is_well()


def test_a_damaged_program(clinic):
    path = clinic.folder / "run"
    path.write_bytes(b"\x7fELF")
    path.chmod(0o755)
    clinic.pool["command"] = [str(path)]
    assert clinic.problem()["found"] == f"{path} is damaged"


@pytest.fixture
def with_library(clinic):
    """A program that needs libpwtest.so, which is not where the loader looks."""
    source = clinic.folder / "library.c"
    source.write_text("int answer(void) { return 0; }\n")
    main = clinic.folder / "main.c"
    main.write_text("int answer(void);\nint main(void) { return answer(); }\n")
    library = clinic.folder / "libpwtest.so"
    program = clinic.folder / "run"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    subprocess.run(["cc", "-o", program, main, f"-L{clinic.folder}", "-lpwtest"], check=True)
    clinic.pool["command"] = [str(program)]
    return library


def test_a_missing_library(clinic, with_library):
    found = clinic.problem()
    assert found["subject"] == "libraries" and found["found"] == "libpwtest.so is not found"
    assert found["cause"] == f"needed by {clinic.folder}/run" and "LD_LIBRARY_PATH" in found["cure"]

    clinic.pool["environment"] = {"LD_LIBRARY_PATH": str(clinic.folder)}
    clinic.is_well()


def test_a_library_for_another_machine(clinic, with_library):
    """The loader passes over it in silence, and says that there is none."""
    other, name = (AARCH64, "aarch64") if os.uname().machine == "x86_64" else (X86_64, "x86_64")
    right = with_library.read_bytes()
    with_library.write_bytes(elf_header(other, kind=3))
    clinic.pool["environment"] = {"LD_LIBRARY_PATH": str(clinic.folder)}
    assert f"{with_library} was made for {name}" in clinic.problem()["cause"]

    with_library.write_bytes(right)
    clinic.is_well()


# Who, where, with what


@needs_root
def test_an_unknown_user(clinic):
    clinic.pool["identity"] = {"user": "no-such-user"}
    found = clinic.problem()
    assert found["subject"] == "identity" and "no-such-user" in found["found"]
    assert "useradd" in found["cure"]

    clinic.pool["identity"] = {"user": "12345"}
    clinic.is_well()


@needs_root
def test_an_unknown_group(clinic):
    clinic.pool["identity"]["groups"] = ["no-such-group"]
    assert "no-such-group" in clinic.problem()["found"]


@needs_root
def test_an_identity_that_cannot_be_given(clinic):
    prefix = ("setpriv", "--bounding-set", "-setgid")
    [found] = [check for check in clinic.report(prefix=prefix)["checks"]
               if check["result"] == "problem" and check["pool"] == "web"]
    assert found["subject"] == "identity" and "CAP_SETGID" in found["found"]
    assert "--cap-add SETGID" in found["cure"]


@needs_root
def test_a_user_that_only_root_could_become(clinic):
    os.chown(clinic.folder, 12345, 12345)
    prefix = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
    [found] = [check for check in clinic.report(prefix=prefix)["checks"]
               if check["result"] == "problem" and check["pool"] == "web"]
    assert found["subject"] == "identity" and "only root may" in found["found"]
    assert found["cure"].endswith(", or leave identity.user and identity.groups out")

    del clinic.pool["identity"]
    assert clinic.report(prefix=prefix)["problems"] == 0


def test_a_missing_directory(clinic):
    folder = clinic.folder / "app"
    clinic.pool["directory"] = str(folder)
    found = clinic.problem()
    assert found["subject"] == "directory"
    assert found["cause"] == f"the directory {folder} does not exist"

    folder.mkdir()
    clinic.is_well()


@needs_root
def test_a_working_directory_that_the_pools_user_may_not_enter(clinic):
    folder = clinic.folder / "app"
    folder.mkdir(mode=0o700)
    clinic.pool["directory"] = str(folder)
    assert "drwx------ root root" in clinic.problem()["cause"]

    os.chown(folder, pwd.getpwnam("nobody").pw_uid, 0)
    clinic.is_well()


def test_a_name_of_the_other_way_to_connect(clinic):
    clinic.pool["command"] += ["--port", "${PORT}"]
    found = clinic.problem()
    assert "${PORT} has no value" in found["found"] and "connect: tcp" in found["cure"]

    clinic.pool["connect"] = "tcp"
    clinic.is_well()


def test_a_name_without_a_value_is_worth_a_note(clinic):
    clinic.pool["environment"] = {"MODE": "${NO_SUCH_NAME}"}
    assert ["NO_SUCH_NAME" in check["found"] for check in clinic.checks("note")
            if check["subject"] == "environment"] == [True]


def test_sums_that_do_not_fit_are_worth_a_note(clinic):
    clinic.pool["stop"] = {"timeout": "30s"}
    assert any("--stop-timeout" in check["found"] for check in clinic.checks("note"))


@needs_root
def test_a_limit_above_what_is_granted(clinic):
    clinic.pool["limits"] = {"open_files": 5000}
    prefix = ("prlimit", "--nofile=1000:1000", "setpriv", "--bounding-set", "-sys_resource")
    [found] = [check for check in clinic.report(prefix=prefix)["checks"]
               if check["result"] == "problem" and check["pool"] == "web"]
    assert found["subject"] == "limits" and "limits.open_files" in found["found"]
    assert "5000" in found["cure"] or "ulimit" in found["cure"]
    clinic.pool["limits"] = {"open_files": 500}
    assert not [check for check in clinic.report(prefix=prefix)["checks"]
                if check["result"] == "problem" and check["pool"] == "web"]


def test_cpus_that_the_machine_does_not_have(clinic):
    missing = max(os.sched_getaffinity(0)) + 500
    clinic.pool["limits"] = {"affinity": str(missing), "open_files": 256}
    found = clinic.problem()
    assert found["found"] == f"cannot set limits.affinity to {missing}: Invalid argument"
    assert "Cpus_allowed_list" in found["cure"]


@pytest.mark.skipif(not memory_can_be_limited() or not (CGROUPS / "memory").exists(),
                    reason="only cgroup v1 lacks a limit that can be set in v2")
def test_a_limit_that_cgroup_v1_does_not_have(clinic):
    clinic.pool["limits"] = {"memory_high": "64MiB"}
    cure = clinic.problem()["cure"]
    assert cure.startswith("boot the machine with cgroup v2: ")
    assert cure.endswith(". Or set containment: best_effort, and it runs without the limit")

    clinic.pool["containment"] = "best_effort"
    clinic.is_well()
    [told] = [check for check in clinic.checks("note") if check["subject"] == "limits"]
    assert told["cure"] in cure


@pytest.mark.skipif(not memory_can_be_limited(), reason="no memory cgroup can be written here")
def test_limits_are_tried_and_nothing_is_left_of_it(clinic):
    clinic.pool["limits"] = {"memory": "64MiB", "cpu": "50%", "pids": 100}
    clinic.is_well()

    assert [check["found"] for check in clinic.checks("ok") if check["subject"] == "limits"]
    with subprocess.Popen([clinic.program, "doctor", str(clinic.file)],
                          stdout=subprocess.DEVNULL) as doctor:
        doctor.wait(60)
    assert not cgroups_of_doctor(doctor.pid)


@needs_root
def test_core_files_that_could_not_be_written(clinic):
    if not Path("/proc/sys/kernel/core_pattern").read_text().startswith("core"):
        pytest.skip("core files go elsewhere here")
    folder = clinic.folder / "app"
    folder.mkdir(mode=0o755)
    clinic.pool.update(directory=str(folder), limits={"core": "1MiB"})
    assert clinic.problem()["found"] == f"cannot be written to {folder}"

    folder.chmod(0o1777)
    clinic.is_well()


@pytest.mark.parametrize("setting", ["rapid_fail", "orphan"])
def test_an_action_that_is_not_there(clinic, setting):
    """It is poolwarden's own user who runs it."""
    action = clinic.folder / "page-me"
    clinic.pool[setting] = {"action": [str(action), "${POOLWARDEN_POOL}"]}
    found = clinic.problem()
    assert found["subject"] == f"{setting}.action" and found["found"] == f"{action} does not exist"
    assert found["cure"] == f"install it, or correct `{setting}.action` in the configuration"

    action.write_text("#!/bin/sh\n")
    action.chmod(0o700)
    clinic.is_well()
    clinic.pool[setting]["action"] = ["no-such-pager"]
    assert "cannot find 'no-such-pager' in PATH" in clinic.problem()["found"]


# The supervisor itself


def test_a_place_for_the_state(clinic):
    place = clinic.folder / "var" / "state"
    clinic.settings["state"] = str(place)
    [found] = clinic.checks("problem", pool=None)
    assert found["subject"] == "state" and f"{place.parent} does not exist" in found["cause"]

    place.parent.mkdir()
    clinic.is_well()
    assert not place.exists(), "nothing is made"
    place.write_text("")
    [found] = clinic.checks("problem", pool=None)
    assert found["cause"] == f"{place} is not a directory"


@needs_root
def test_a_place_for_the_control_socket(clinic):
    """As a user who may not write there."""
    del clinic.pool["identity"]
    prefix = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups")
    [found] = [check for check in clinic.report(prefix=prefix)["checks"]
               if check["result"] == "problem"]
    assert found["subject"] == "control" and "Permission denied" in found["cause"]

    os.chown(clinic.folder, 12345, 12345)
    assert clinic.report(prefix=prefix)["problems"] == 0


def test_a_port_that_is_taken(clinic):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        clinic.settings["listen"] = "127.0.0.1:%d" % taken.getsockname()[1]
        [found] = clinic.checks("problem", pool=None)
        assert found["subject"] == "listen" and "Address already in use" in found["found"]
        assert found["cure"] == "stop the other program or choose another port"

    clinic.is_well()
    assert clinic.run().returncode == 0


def test_beside_a_running_supervisor_its_ports_are_no_problem(supervise, program):
    supervisor = supervise({"web": {}})
    pid = supervisor.pid()

    result = subprocess.run([program, "doctor", str(supervisor.file)], capture_output=True,
                            text=True, timeout=60)

    assert result.returncode == 0, result.stdout
    assert "a supervisor runs here" in result.stdout
    assert supervisor.get().status == 200 and supervisor.pid() == pid


# What the kernel says of this process


@pytest.mark.parametrize("prefix, words", [((), ""), (("setpriv", "--no-new-privs"), "no_new_privs is set")])
def test_no_new_privs_is_told(clinic, prefix, words):
    [found] = [check["found"] for check in clinic.report(prefix=prefix)["checks"]
               if check["subject"] == "seccomp"]
    assert words in found and ("no_new_privs" in found) == bool(words)


@needs_root
def test_capabilities_are_told(clinic):
    prefix = ("setpriv", "--bounding-set", "-all,+kill")
    [found] = [check["found"] for check in clinic.report(prefix=prefix)["checks"]
               if check["subject"] == "capabilities" and check["pool"] is None]
    assert found.startswith("1 of ") and "CHOWN" in found and "KILL" not in found


# Usage


def test_only_one_pool(clinic):
    assert {check["pool"] for check in clinic.report("--pool", "web")["checks"]} == {"web", None}
    result = clinic.run("--pool", "wbe")
    assert result.returncode == 2 and 'did you mean "web"?' in result.stderr


def test_a_wrong_configuration_is_a_check_too(clinic):
    clinic.pool["comand"] = []
    result = clinic.run("--json")

    assert result.returncode == 2 and result.stderr == ""
    report = json.loads(result.stdout)
    [found] = [check for check in report["checks"] if check["result"] == "problem"]
    assert found["subject"] == "settings" and 'did you mean "command"?' in found["found"]
    assert re.fullmatch(rf"at {re.escape(str(clinic.file))}:1:\d+", found["cause"])
    assert report["problems"] == 1
    assert {check["subject"] for check in report["checks"]} >= {"cgroup", "capabilities"}
    assert "comand" in clinic.run().stdout


def test_a_text_that_is_no_configuration_is_a_check_too(clinic):
    for text in ("pools: [", "\0", "- 1", ""):
        clinic.file.write_text(text)
        result = subprocess.run([clinic.program, "doctor", clinic.file, "--json"],
                                capture_output=True, text=True, timeout=60)
        assert result.returncode == 2, text
        assert json.loads(result.stdout)["problems"] >= 1, text


def test_a_file_that_cannot_be_read_is_a_check_too(clinic):
    for path in (clinic.folder / "none.yaml", clinic.folder):
        result = subprocess.run([clinic.program, "doctor", path, "--json"], capture_output=True,
                                text=True, timeout=60)
        assert result.returncode == 2
        [found] = [check for check in json.loads(result.stdout)["checks"]
                   if check["result"] == "problem"]
        assert found["subject"] == "file" and str(path) in found["found"]


def test_a_configuration_out_of_a_pipe_is_read(clinic):
    clinic.run()
    result = subprocess.run([clinic.program, "doctor", "/dev/stdin"], capture_output=True,
                            text=True, timeout=60, input=clinic.file.read_text())
    assert result.returncode == 0, result.stdout + result.stderr
    assert "pool web" in result.stdout


@pytest.mark.parametrize("words, complaint", [
    (["--timeout", "soon"], "--timeout"), (["--timeout", "0"], "--timeout"),
    (["--pool"], "pool"), (["--nonsense"], "nonsense"), (["a", "b"], "b")])
def test_wrong_usage(program, words, complaint):
    result = subprocess.run([program, "doctor", *words], capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and result.stdout == ""
    assert complaint in result.stderr


def test_without_a_configuration_the_containment_is_looked_at(program, tmp_path):
    if Path("/etc/poolwarden/poolwarden.yaml").exists():
        pytest.skip("there is a configuration on this machine")
    result = subprocess.run([program, "doctor"], capture_output=True, text=True, timeout=60,
                            cwd=tmp_path)
    assert result.returncode == 0 and "no configuration" in result.stderr
    assert "containment" in result.stdout and "pool" not in result.stdout.splitlines()[2]
