"""The table of deaths: real programs, each with what brings it to its end, and with all that its
certificate is to say of it. test_deaths.py lets them die."""

import os
import re
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass, field
from typing import Callable

import pytest

from machine import cores_are_files, memory_can_be_limited, pids_can_be_limited
from waiting import eventually

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user or mount")
CORES = pytest.mark.skipif(not cores_are_files(), reason="no core files (core_pattern)")
MEMORY = pytest.mark.skipif(not memory_can_be_limited(), reason="no writable cgroup with memory")
X86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="a fault of this processor's")
PIDS = pytest.mark.skipif(not pids_can_be_limited(), reason="no writable cgroup with pids")
# What /proc/TID/stack tells, to root.
WAITS_FOR_A_LOCK = "'waits_in': '[^']*futex" + (r".*'stack': \['[^']*futex"
                                               if os.geteuid() == 0 else "")

ANY_CORE = {"limits": {"core": "infinite"}}
OTHER_USER = {"identity": {"user": "www-data"}}
# Without a core file only the kernel's log tells, which leaves out what comes too fast.
FAULT, FILTER = ("kernel_fault", None), ("kernel_seccomp", None)
ENDED, NOT_STARTED, STOPPED = "worker.exited", "worker.start_failed", "worker.stopped"


@dataclass(frozen=True)
class Death:
    """In `command` and in what `holds`, WORKERS is the folder of tests/workers as programs, and
    HERE one of this row's own, which is the worker's directory too."""

    name: str
    command: object
    diagnosis: str
    sentence: str  # regular expressions
    next_step: str = ""
    detail: str = "none"
    sent_by: object = "itself"  # or a tuple: one of them; None: not to be found out
    event: str = ENDED
    was: int = 5009
    was_too_early: int = None  # when nobody had the time to look at files before it was told
    settings: dict = field(default_factory=dict)
    prepare: Callable = None  # with HERE, before it is started
    bring: Callable = None  # with the scene and the row, when it runs; else it dies by itself
    holds: dict = field(default_factory=dict)  # further keys: a value, or a regular expression
    pool_event: tuple = ()  # of its pool, with its number
    has_more: bool = False  # it is complete after its event: worker.post_mortem
    marks: tuple = ()

    @property
    def needs_cgroups(self):
        return MEMORY in self.marks or PIDS in self.marks

    @property
    def is_possible(self):
        """Else what it takes is not to be had on this machine."""
        return not any(mark.args[0] for mark in self.marks)

    def complaints(self, told, spelled_out):
        """What its certificate, as a mapping, says otherwise. `spelled_out` puts real folders into
        a regular expression."""
        was = self.was_too_early if told["told_more"] and self.was_too_early else self.was
        plain = {"diagnosis": self.diagnosis, "detail": self.detail, "sent_by": self.sent_by,
                 "event": self.event, "was": was}
        told = {"detail": "none", **told}  # left out where there is none
        wrong = [f"{key} is {told.get(key)!r} and not {value!r}" for key, value in plain.items()
                 if told.get(key) not in (value if isinstance(value, tuple) else (value,))]
        texts = {"explanation": self.sentence, "next_step": self.next_step, **self.holds}
        return wrong + [f"{key} is {told.get(key)!r}, which is not {value!r}"
                        for key, value in texts.items()
                        if not _fits(told.get(key), value, spelled_out)]

    def holds_in(self, told, keys, spelled_out):
        """Whether its certificate has these of what it `holds`."""
        return all(_fits(told.get(key), self.holds[key], spelled_out) for key in keys)


def _fits(told, expected, spelled_out):
    if not isinstance(expected, str):
        return told == expected
    text = str("" if told is None else told)
    return re.search(spelled_out(expected), text, re.I | re.S) is not None


# What a row prepares

def _script(text, name="script", mode=0o755):
    def write(here):
        (here / name).write_bytes(text.encode())
        (here / name).chmod(mode)
    return write


def _blocked_directory(here):
    (here / "closed").mkdir(mode=0o700)
    _script("#!/bin/sh\nexit 0\n", "closed/script")(here)


def elf_of(machine):
    """The header of a 64-bit little-endian program for that machine (elf(5)), and nothing else."""
    return struct.pack("<4sBBBBB7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 2, machine, 1,
                       0x400000, 64, 0, 0, 64, 56, 0, 64, 0, 0)


def _small_disk(here):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=0755", "tmpfs", here], check=True)


AARCH64, S390 = 183, 22


def _foreign(name):
    """A file for a processor that this one is not."""
    def write(here):
        machine = S390 if os.uname().machine == "aarch64" else AARCH64
        (here / name).write_bytes(elf_of(machine))
        (here / name).chmod(0o755)
    return write


# What a row is brought to its end by

def _signalled(number):
    def send(scene, row):
        os.kill(scene.pid(row), number)
    return send


def _killed_long_after(scene, row):
    """When it says that what befell its child is long ago."""
    scene.wait_for_line(row, "long ago")
    os.kill(scene.pid(row), signal.SIGKILL)


def _asked_to_stop(scene, row):
    assert scene.supervisor.run("stop", row.name, "--wait").returncode == 0


def _deadlocked(scene, row):
    """Two requests that wait for each other, and others that wait for both."""
    scene.ask(row, "left")
    scene.ask(row, "right")
    eventually(lambda: scene.in_flight(row) == 2, "both are on their way")
    scene.ask(row, "after-them")


def _asked_once(scene, row):
    scene.ask(row, "")


def _robbed_of_its_cgroup(scene, row):
    """A stranger moves it out of its cgroups, removes them, and ends it."""
    pid = scene.pid(row)
    for folder in scene.cgroups(row, pid):
        top = next(parent for parent in folder.parents if parent.is_mount())
        (top / "cgroup.procs").write_text(str(pid))
        folder.rmdir()
    os.kill(pid, signal.SIGKILL)


def _drilled(scene, row):
    done = scene.supervisor.run("drill", row.name, "exit=3")
    assert done.returncode == 0, done.stderr


_holder = socket.socket()
_holder.bind(("127.0.0.1", 0))
_holder.listen()
HELD_PORT = _holder.getsockname()[1]


FAULTS = [
    Death("segfault", ["WORKERS/die", "segfault"], "segfault", "SIGSEGV", "core|gdb",
          sent_by=FAULT, holds={"signal": "SIGSEGV"}, pool_event=("pool.rapid_fail", 5002)),
    # A value that no address has: the kernel knows no address of it.
    Death("general_protection",
          ["/usr/bin/python3", "-c", "import ctypes; ctypes.string_at(0xdeadbeefdeadbeef)"],
          "segfault", "SIGSEGV.* by a general protection fault", "gdb", sent_by="kernel_fault",
          settings=ANY_CORE, marks=(CORES, X86_64), has_more=True,
          holds={"si_code": 128, "address": "^$"}),
    Death("stack_overflow", ["WORKERS/die", "stack_overflow"], "stack_overflow", "stack",
          "recursion|stack", sent_by="kernel_fault", settings=ANY_CORE, marks=(CORES,),
          has_more=True, holds={"signal": "SIGSEGV"}),
    Death("stack_overflow_in_thread", ["WORKERS/die", "stack_overflow_in_thread"],
          "stack_overflow", "stack", "recursion|stack", sent_by="kernel_fault", settings=ANY_CORE,
          marks=(CORES,), has_more=True, holds={"signal": "SIGSEGV"}),
    Death("segfault_with_core", ["WORKERS/die", "segfault"], "segfault", "SIGSEGV",
          "gdb --core=HERE/core", sent_by="kernel_fault", settings=ANY_CORE, marks=(CORES,),
          has_more=True,
          holds={"core_file": r"HERE/core", "backtrace": "touch_nothing|main|^$"}),
    Death("core_on_a_full_disk", ["WORKERS/die", "segfault"], "segfault", "SIGSEGV",
          "not whole: it was cut off: .* is full|Set limits.core",
          sent_by="kernel_fault", settings=ANY_CORE, has_more=True,
          prepare=_small_disk, marks=(AS_ROOT, CORES),
          # Linux 6.18 says that it dumped one, and leaves what had room.
          holds={"core_file": r"'why_none': '[^']*the file system of HERE is full'"}),
    Death("abort", ["WORKERS/die", "abort"], "abort", "SIGABRT", "output", sent_by=None),
    Death("abort_with_core", ["WORKERS/die", "abort"], "abort", "SIGABRT", "output",
          settings=ANY_CORE, marks=(CORES,), has_more=True),
    Death("exception", ["WORKERS/die", "exception"], "abort", "runtime_error.*no luck today",
          "catch|exception", detail="uncaught_exception"),
    Death("assertion", ["WORKERS/die", "assertion"], "abort", "answer == 42", "assert",
          detail="assertion"),
    Death("double_free", ["WORKERS/die", "double_free"], "abort", "double free",
          "AddressSanitizer|valgrind|heap", detail="damaged_heap"),
    Death("smashed_stack", ["WORKERS/die", "smashed_stack"], "abort", "stack smashing|overran",
          "-fsanitize=address", detail="smashed_stack"),
    Death("bad_alloc", ["WORKERS/die", "bad_alloc"], "abort", "memory", "memory",
          detail="out_of_memory_inside"),
    Death("division", ["WORKERS/die", "division"], "arithmetic", "SIGFPE", "core|gdb|divi",
          sent_by=FAULT),
    Death("trap", ["WORKERS/die", "trap"], "illegal_instruction", "SIGILL", "processor|trap",
          sent_by=FAULT),
    Death("bus_error", ["WORKERS/die", "bus_error"], "bus_error", "SIGBUS", "file|core|gdb",
          sent_by=FAULT),
    # A stranger's kill -PIPE leaves the same behind; so does kill -ALRM.
    Death("broken_pipe", ["WORKERS/die", "broken_pipe"], "unknown", "SIGPIPE", "SIGPIPE|reader",
          detail="broken_output", sent_by=None),
    Death("closed_output", "exec >&-; exec /bin/echo hello", "exit_nonzero",
          "code 1.*closed.*write error", "stdout", detail="broken_output"),
    Death("silent", "exec >&- 2>&-; exit 3", "exit_nonzero", "code 3$", "wrote nothing",
          holds={"output": "^$"}),
    Death("alarm", ["WORKERS/die", "alarm"], "unknown", "SIGALRM", "handle|alarm|timer",
          sent_by=None),
    Death("segfault_by_its_own_kill", ["/bin/sh", "-c", "kill -SEGV $$$$"], "segfault",
          r"SIGSEGV.*, which it sent itself \(kill", "its output", settings=ANY_CORE,
          marks=(CORES,), has_more=True, holds={"si_code": 0, "sender_pid": "^$"}),
    Death("forbidden_syscall", ["WORKERS/forbid_syscall"], "seccomp", "SIGSYS|seccomp",
          "seccomp|filter|limits.core", sent_by=FILTER),
    Death("cpu_soft", ["WORKERS/die", "cpu_soft"], "cpu_limit", "SIGXCPU|RLIMIT_CPU",
          "RLIMIT_CPU", sent_by="kernel_rlimit"),
    Death("cpu_hard", ["WORKERS/die", "cpu_hard"], "cpu_limit", "RLIMIT_CPU", "RLIMIT_CPU",
          sent_by="kernel_rlimit", holds={"signal": "SIGKILL"}),
    Death("file_size", ["WORKERS/die", "file_size"], "file_size_limit", "SIGXFSZ|RLIMIT_FSIZE",
          "RLIMIT_FSIZE", sent_by="kernel_rlimit"),
]

CODES = [
    Death("exit_0", ["WORKERS/exit_with", "0"], "exit_zero", "code 0 without having been asked",
          "foreground|daemon", holds={"exit_code": 0}),
    *(Death(f"exit_{code}", ["WORKERS/exit_with", str(code), "things went wrong"], "exit_nonzero",
            f"code {code}", "output", holds={"exit_code": code, "output": "things went wrong"})
      for code in (1, 2, 3)),
    Death("exit_78", ["WORKERS/exit_with", "78"], "config_error", "code 78", "configuration"),
    Death("exit_126", ["WORKERS/exit_with", "126"], "exec_not_executable", "code 126",
          "mode|executable", detail="not_executable"),
    Death("exit_127", ["WORKERS/exit_with", "127"], "exit_nonzero", "code 127",
          "found|command|PATH"),
    Death("exit_255", ["WORKERS/exit_with", "255"], "exit_255", "code 255", r"exit\(-1\)|output"),
]

NEVER_STARTED = [
    Death("missing_program", ["HERE/nothing-here"], "exec_failed",
          "HERE/nothing-here.*No such file", "command|install", detail="missing_program",
          sent_by=None, event=NOT_STARTED, was=5022,
          holds={"stage": "exec"}, pool_event=("pool.start_failure", 5059)),
    Death("not_executable", ["HERE/script"], "exec_failed", "HERE/script.*Permission denied",
          "execut|chmod", detail="not_executable", sent_by=None, event=NOT_STARTED, was=5022,
          prepare=_script("#!/bin/sh\n", mode=0o644)),
    Death("directory_without_x", ["HERE/closed/script"], "exec_failed", "HERE/closed",
          "HERE/closed|director", detail="path_blocked", sent_by=None, event=NOT_STARTED, was=5022,
          prepare=_blocked_directory, settings=OTHER_USER, marks=(AS_ROOT,)),
    Death("script_without_interpreter", ["HERE/script"], "exec_failed", "HERE/script.*#!",
          "#!", detail="not_executable", sent_by=None, event=NOT_STARTED, was=5022,
          prepare=_script("echo no shebang here\n")),
    Death("script_with_crlf", ["HERE/script"], "exec_failed", "CR|carriage|line end|DOS|Windows",
          "CR|dos2unix|line end", detail="missing_interpreter", sent_by=None, event=NOT_STARTED,
          was=2294, prepare=_script("#!/bin/sh\r\nexit 0\r\n")),
    Death("missing_interpreter", ["HERE/script"], "exec_failed", "/opt/nowhere/python",
          "/opt/nowhere/python|interpreter", detail="missing_interpreter", sent_by=None,
          event=NOT_STARTED, was=2294, prepare=_script("#!/opt/nowhere/python\n")),
    Death("foreign_program", ["HERE/program"], "exec_failed", "aarch64|arm64|s390|another",
          "architecture|build|machine", detail="wrong_architecture", sent_by=None,
          event=NOT_STARTED, was=2282, was_too_early=5022, prepare=_foreign("program")),
    Death("unknown_user", ["WORKERS/exit_with", "0"], "exec_failed", "nobody-of-this-name",
          "user|identity", detail="unknown_user", sent_by=None, event=NOT_STARTED, was=5021,
          settings={"identity": {"user": "nobody-of-this-name"}},
          pool_event=("pool.start_failure", 5057)),
    Death("missing_directory", ["WORKERS/exit_with", "0"], "exec_failed", "HERE/not-there",
          "directory", detail="missing_directory", sent_by=None, event=NOT_STARTED, was=5022,
          settings={"directory": "HERE/not-there"}),
]

def _with_libraries(folder):
    return {"environment": {"LD_LIBRARY_PATH": folder}, "ready": {"when": "notify"}}


LIBRARIES = [
    Death("missing_library", ["WORKERS/needs_library"], "loader_failed", r"libanswer\.so",
          r"libanswer\.so", detail="missing_library", event=NOT_STARTED, was=2280,
          settings=_with_libraries("HERE"),
          holds={"exit_code": 127, "loader": r"needs_library.*libanswer\.so"}),
    Death("missing_symbol", ["WORKERS/needs_library"], "loader_failed", "the_answer",
          "the_answer|version|libanswer", detail="missing_symbol", event=NOT_STARTED, was=2280,
          settings=_with_libraries("WORKERS/older_answer"),
          holds={"exit_code": 127}),
    Death("foreign_library", ["WORKERS/needs_library"], "loader_failed",
          r"libanswer\.so.*(aarch64|s390)", "architecture|build|machine",
          detail="wrong_architecture", event=NOT_STARTED, was=2282, was_too_early=2280,
          prepare=_foreign("libanswer.so"),
          settings=_with_libraries("HERE"),
          holds={"loader": r"HERE/libanswer\.so.*(aarch64|s390)"}),
]

LIMITS = [
    Death("oom", ["WORKERS/eat_memory", "200"], "oom_killed", "OOM.*limits.memory",
          "limits.memory", detail="own_memory_limit", sent_by="kernel_oom",
          settings={"limits": {"memory": "32MiB"}}, marks=(MEMORY,)),
    Death("oom_in_a_grandchild", "WORKERS/eat_memory 200; exit $?", "oom_killed",
          "OOM", "limits.memory", detail="own_memory_limit", sent_by="kernel_oom",
          settings={"limits": {"memory": "32MiB"}}, marks=(MEMORY,)),
    Death("killed_long_after_its_child_was",
          "WORKERS/eat_memory 200; sleep 13; echo long ago; exec sleep infinity",
          "killed_external", "SIGKILL, which poolwarden did not send; .*struck 1 other process",
          "program itself.*operators and scripts", sent_by="stranger",
          settings={"limits": {"memory": "32MiB"}},
          marks=(MEMORY,), bring=_killed_long_after),
    Death("fork_bomb", ["WORKERS/fork_bomb", "100"], "exit_nonzero", "limits.pids", "limits.pids",
          detail="pids_limit", settings={"limits": {"pids": 8}}, marks=(PIDS,),
          holds={"output": "Resource temporarily unavailable"}),
    Death("too_many_threads", ["WORKERS/many_threads", "100"], "abort", "limits.pids",
          "limits.pids", detail="pids_limit", settings={"limits": {"pids": 8}}, marks=(PIDS,)),
]

SIGNALS = [
    Death("killed_by_a_stranger", ["/bin/sleep", "infinity"], "killed_external",
          "SIGKILL.*not send", "program itself.*operators and scripts", sent_by="stranger",
          bring=_signalled(signal.SIGKILL)),
    # Without a core file it looks like a fault.
    Death("segfault_by_a_stranger", ["/bin/sleep", "infinity"], "segfault",
          "SIGSEGV; whether .* could not be told", "core", sent_by=None,
          bring=_signalled(signal.SIGSEGV)),
    Death("segfault_by_a_stranger_with_core", ["/bin/sleep", "infinity"], "segfault",
          rf"SIGSEGV.*, which process {os.getpid()} sent", "operator", sent_by="stranger",
          settings=ANY_CORE, marks=(CORES,), has_more=True, bring=_signalled(signal.SIGSEGV)),
    Death("seccomp_by_a_stranger", ["/bin/sleep", "infinity"], "seccomp",
          "SIGSYS; whether .* could not be told", "limits.core", sent_by=None,
          bring=_signalled(signal.SIGSYS)),
    Death("cpu_limit_by_a_stranger", ["/bin/sleep", "infinity"], "cpu_limit",
          "RLIMIT_CPU was not found", "who sends", sent_by=None,
          bring=_signalled(signal.SIGXCPU)),
    Death("terminated_by_a_stranger", ["/bin/sleep", "infinity"], "killed_external",
          "SIGTERM.*not send", "program itself.*operators and scripts", sent_by="stranger",
          bring=_signalled(signal.SIGTERM)),
    Death("stopped", ["/bin/sleep", "infinity"], "killed_by_supervisor", "as asked.*SIGTERM",
          sent_by="our_stop", event=STOPPED, was=None, bring=_asked_to_stop),
    Death("ignores_sigterm", ["WORKERS/ignore_term"], "killed_by_supervisor",
          "did not stop in time", "stop.timeout", sent_by="our_kill", event=STOPPED, was=None,
          bring=_asked_to_stop, pool_event=("worker.stop_timeout", 5013)),
    Death("drilled", ["/bin/sleep", "infinity"], "exit_nonzero", "drill", detail="drilled",
          sent_by="our_drill", bring=_drilled, settings={"rapid_fail": {"failures": 5}},
          marks=(AS_ROOT,)),
]

TIMEOUTS = [
    Death("never_says_ready", ["/bin/sleep", "infinity"], "startup_timeout",
          "not ready.*READY=1|READY=1.*ready", "READY=1|ready.when",
          detail="never_notified", sent_by="our_kill", event=NOT_STARTED, was=2281,
          settings={"ready": {"when": "notify", "timeout": "3s"}},
          holds={"threads": "pause|nanosleep"}),
    Death("never_listens", ["/bin/sleep", "infinity"], "startup_timeout", "not ready",
          "POOLWARDEN_SOCKET|listen", detail="socket_silent", sent_by="our_kill",
          event=NOT_STARTED, was=2278,
          settings={"routes": [{"path": "/never_listens"}], "ready": {"timeout": "3s"}}),
    Death("never_takes_its_socket", ["/bin/sleep", "infinity"], "startup_timeout", "not ready",
          "descriptor 3|LISTEN_FDS", detail="socket_not_taken", sent_by="our_kill",
          event=NOT_STARTED, was=2279,
          settings={"routes": [{"path": "/never_takes"}], "connect": "inherit",
                    "ready": {"http": "/", "timeout": "3s"}}),
    Death("hangs_at_start", ["WORKERS/serve", "hang"], "startup_timeout", "not ready", "listen",
          detail="socket_silent", sent_by="our_kill", event=NOT_STARTED, was=2278,
          settings={"routes": [{"path": "/hangs_at_start"}],
                    "ready": {"http": "/healthz", "timeout": "3s"}},
          pool_event=("worker.startup_timeout", 5012)),
    Death("never_answers_well", ["WORKERS/serve", "503"], "startup_timeout",
          "answered /readyz with 503, last", "See why it answers /readyz so",
          detail="not_ready_answer", sent_by="our_kill", event=NOT_STARTED, was=2276,
          settings={"routes": [{"path": "/never_answers_well"}],
                    # To be asked at all, also where 80 pools start on a busy machine.
                    "ready": {"http": "/readyz", "timeout": "15s"}},
          holds={"probe": "'status': 503"}),
    Death("pings_answered_badly", ["WORKERS/serve", "500"], "ping_timeout",
          "answered its pings of /healthz with 500", "See why it answers /healthz so",
          sent_by="our_stop",
          settings={"routes": [{"path": "/pings_answered_badly"}],
                    "health": {"ping": {"http": "/healthz", "interval": "200ms", "timeout": "5s"}},
                    "stop": {"drain": "300ms", "timeout": "3s"}}),
    Death("pings_answered_by_another_protocol", ["WORKERS/serve", "ssh"], "protocol_error",
          "no HTTP: .*SSH-2.0", "HTTP/1.1", sent_by="our_stop", was=5127,
          settings={"routes": [{"path": "/pings_answered_by_another_protocol"}],
                    "health": {"ping": {"http": "/healthz", "interval": "200ms", "timeout": "5s"}},
                    "stop": {"drain": "300ms", "timeout": "3s"}},
          holds={"protocol_breach": "SSH-2.0"}),
    Death("hangs_later", ["WORKERS/deadlock"], "ping_timeout", "ping", "thread|stack|/healthz",
          sent_by="our_stop", bring=_deadlocked,
          settings={"routes": [{"path": "/hangs_later"}], "concurrency": 3,
                    "health": {"ping": {"http": "/healthz", "interval": "500ms", "timeout": "5s"}},
                    "stop": {"drain": "300ms", "timeout": "3s"}},
          holds={"threads": WAITS_FOR_A_LOCK, "cut_requests": "/hangs_later/left"},
          pool_event=("worker.unhealthy", 5010)),
    Death("deadlock", ["WORKERS/deadlock"], "deadlock", "requests", "thread|lock|stack",
          sent_by="our_stop", bring=_deadlocked,
          settings={"routes": [{"path": "/deadlock"}], "concurrency": 2,
                    "health": {"deadlock": {"after": "1s"}},
                    "stop": {"drain": "300ms", "timeout": "3s"}},
          holds={"threads": WAITS_FOR_A_LOCK, "cut_requests": "/deadlock/(left|right)"}),
    Death("slow_request", ["WORKERS/serve", "hang"], "request_timeout", "request",
          "idle server|what the request waits for", sent_by="our_stop", bring=_asked_once,
          settings={"routes": [{"path": "/slow_request"}], "health": {"request_timeout": "1s"},
                    "stop": {"drain": "300ms", "timeout": "3s"}}),
]

PROGRAMS = [
    Death("python_exception", ["/usr/bin/python3", "-c", "raise ValueError('no luck')"],
          "exit_nonzero", "code 1.*ValueError: no luck", "output|exception", was=5009,
          detail="uncaught_exception"),
    Death("python_import", ["/usr/bin/python3", "-c", "import no_such_module"], "exit_nonzero",
          "no_such_module", "install|module", event=NOT_STARTED, was=2277,
          settings={"ready": {"when": "notify"}}, detail="missing_module"),
    Death("python_memory",
          ["/usr/bin/python3", "-c", "from resource import *; "
           "setrlimit(RLIMIT_AS, (2**27, 2**27)); x = 'x' * 2**28"],
          "exit_nonzero", "memory", "memory", detail="out_of_memory_inside"),
    Death("port_in_use_python", ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1",
                                 str(HELD_PORT)],
          "port_in_use", "its address was in use", "PORT", event=NOT_STARTED, was=2269,
          settings={"ready": {"when": "notify"}}),
    Death("port_in_use_node", ["node", "-e", "require('net').createServer()"
                               f".listen({HELD_PORT}, '127.0.0.1')"],
          "port_in_use", f"{HELD_PORT}", f"{HELD_PORT}|PORT", event=NOT_STARTED, was=2269,
          settings={"ready": {"when": "notify"}},
          # Whose it is is looked for no longer than 2 s, behind all that the machine does.
          holds={"port_holder": rf"'port': {HELD_PORT}(\}}|, 'pid': {os.getpid()}\b)"}),
    Death("node_exception", ["node", "-e", "throw new Error('no luck')"], "exit_nonzero",
          "code 1.*no luck", "output|exception", detail="uncaught_exception"),
    Death("perl_die", ["perl", "-e", "$! = 0; $? = 0; die qq(no luck\\n)"], "exit_255",
          "code 255", "output", holds={"output": "no luck"}),
    Death("shell_syntax", "if then", "exit_nonzero", "code 2", "output"),
    Death("shell_command_not_found", "no-such-program-here", "exit_nonzero",
          "127.*no-such-program-here", "install|PATH|command", detail="missing_program"),
    Death("shell_permission_denied", "./script", "exec_not_executable", "126.*script",
          "mode|execut|chmod", detail="not_executable", prepare=_script("#!/bin/sh\n", mode=0o644)),
    Death("shell_foreign_program", ["/bin/bash", "-c", "./program; exit $$?"],
          "exec_not_executable", "126.*program.*(aarch64|s390)", "architecture",
          detail="wrong_architecture", prepare=_foreign("program"),
          holds={"loader": r"HERE/\./program.*(aarch64|s390)"}),
    Death("import_of_foreign_library",
          ["/usr/bin/python3", "-c", "import ctypes; ctypes.CDLL('HERE/libanswer.so')"],
          "exit_nonzero", "code 1.*libanswer.*(aarch64|s390)", "architecture",
          detail="wrong_architecture", prepare=_foreign("libanswer.so"),
          holds={"loader": "HERE/libanswer.so.*(aarch64|s390)"}),
    Death("daemonized", ["WORKERS/daemonize"], "exit_zero", "daemon|background|left", "foreground",
          detail="daemonized", holds={"left_behind": "daemonize"}),
    Death("cgroup_removed", ["/bin/sleep", "infinity"], "killed_external", "SIGKILL",
          detail="cgroup_gone", sent_by="stranger", bring=_robbed_of_its_cgroup, marks=(PIDS,)),
]

DEATHS = [*FAULTS, *CODES, *NEVER_STARTED, *LIBRARIES, *LIMITS, *SIGNALS, *TIMEOUTS, *PROGRAMS]
