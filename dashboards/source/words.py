"""What the words and numbers of the metrics mean: closed lists of the program, with colours."""

GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"
BLUE, PURPLE, GREY = "blue", "purple", "#8e8e8e"

# What a pool is, the worse the higher: the worst of several replicas wins.
POOL_STATES = {
    1: ("running", GREEN),
    2: ("stopped", GREY),
    3: ("stopping", PURPLE),
    4: ("starting", BLUE),
    5: ("workers missing", YELLOW),
    6: ("partly out of service", ORANGE),
    7: ("out of service", RED),
}

WORKER_STATES = {
    "idle": "#56a64b",
    "busy": "#3274d9",
    "starting": "#8ab8ff",
    "draining": "#b877d9",
    "stopping": "#7c2ea3",
    "suspended": GREY,
    "unresponsive": RED,
    "orphaned": ORANGE,
}

# Words of one family share a hue: a picture tells the kind of trouble before the word is read.
# Of diagnoses: crashes red, kills orange, hangs purple, their own exits yellow, starts blue.
DIAGNOSIS_COLORS = {
    "segfault": "#e02f44", "bus_error": "#ff7383", "abort": "#c4162a", "illegal_instruction": "#a0122a",
    "arithmetic": "#ffa6b0", "stack_overflow": "#f2495c", "seccomp": "#8f1d2c",
    "oom_killed": "#ff780a", "killed_external": "#ffb357", "killed_by_supervisor": "#fa6400",
    "cpu_limit": "#ff9830", "file_size_limit": "#ffcb7d",
    "ping_timeout": "#a352cc", "request_timeout": "#ca95e5", "deadlock": "#8f3bb8", "startup_timeout": "#deb6f2",
    "exit_nonzero": "#f2cc0c", "exit_zero": "#ffee52", "config_error": "#e0b400", "exit_255": "#fff899",
    "exec_failed": "#3274d9", "exec_not_executable": "#8ab8ff", "loader_failed": "#5794f2",
    "port_in_use": "#1f60c4", "protocol_error": "#c0d8ff", "unknown": GREY,
}
# Of reasons: plans are cool, symptoms are warm.
RECYCLE_COLORS = {
    "time": "#5794f2", "requests": "#8ab8ff", "schedule": "#3274d9", "manual": "#73bf69",
    "config_change": "#37872d", "file_change": "#96d98d", "worker_request": "#b877d9",
    "memory": "#ff780a", "private_memory": "#ff9830", "cpu": "#fa6400", "unhealthy": "#e02f44",
    "queue_limit": "#f2cc0c",
}
END_COLORS = {
    "failure": "#e02f44", "recycle": "#5794f2", "reload": "#37872d", "scale_down": "#96d98d",
    "idle_timeout": "#8ab8ff", "pool_stop": GREY, "shutdown": "#b877d9",
}
START_COLORS = {
    "initial": "#73bf69", "demand": "#8ab8ff", "scale_up": "#96d98d", "replace": "#ff9830",
    "recycle": "#5794f2", "manual": "#37872d",
}
FAILURE_COLORS = {
    "worker_died": "#e02f44", "connect_failed": "#ff780a", "response_timeout": "#a352cc", "bad_response": "#f2cc0c",
    "upload_too_large": "#8ab8ff", "header_invalid": "#5794f2", "client_aborted": GREY,
}
REJECTION_COLORS = {
    "full": "#ff780a", "timeout": "#f2cc0c", "pool_disabled": "#e02f44", "pool_stopped": GREY,
    "no_worker": "#ff7383", "shutdown": "#b877d9",
}

# diagnosis: (what happened, what to do first, the alert whose runbook helps)
DIAGNOSES = {
    "exit_zero": ("ended with 0, though nobody asked it to", "keep it in the foreground: no daemon mode",
                  "PoolwardenWorkersCrashing"),
    "exit_nonzero": ("ended with an exit code of its own", "read the end of its output",
                     "PoolwardenWorkersCrashing"),
    "config_error": ("ended with 78, EX_CONFIG", "correct the worker's own configuration",
                     "PoolwardenWorkersCrashing"),
    "exec_failed": ("could not be started at all", "correct `command`, `directory` or `identity`",
                    "PoolwardenWorkerStartFailing"),
    "exec_not_executable": ("ended with 126: a shell could not run it", "check mode and owner of the program",
                            "PoolwardenWorkerStartFailing"),
    "loader_failed": ("ended with 127 and the loader's message", "install the shared library it names",
                      "PoolwardenWorkerStartFailing"),
    "exit_255": ("ended with 255, often exit(-1)", "read the end of its output",
                 "PoolwardenWorkersCrashing"),
    "segfault": ("SIGSEGV", "set `limits.core`, open the core file in gdb", "PoolwardenWorkersCrashing"),
    "bus_error": ("SIGBUS", "set `limits.core`; look for truncated mapped files and a full /dev/shm",
                  "PoolwardenWorkersCrashing"),
    "abort": ("SIGABRT: an assertion, an uncaught exception, a damaged heap", "read the end of its output",
              "PoolwardenWorkersCrashing"),
    "illegal_instruction": ("SIGILL", "was it built for another processor?", "PoolwardenWorkersCrashing"),
    "arithmetic": ("SIGFPE", "set `limits.core`, open the core file in gdb", "PoolwardenWorkersCrashing"),
    "stack_overflow": ("its stack ran out", "find the endless recursion", "PoolwardenWorkersCrashing"),
    "seccomp": ("SIGSYS: a forbidden system call", "widen the seccomp profile, or drop the call",
                "PoolwardenWorkersCrashing"),
    "cpu_limit": ("SIGXCPU", "raise RLIMIT_CPU, or find what runs in circles", "PoolwardenWorkersCrashing"),
    "file_size_limit": ("SIGXFSZ", "raise RLIMIT_FSIZE, or find what writes so much",
                        "PoolwardenWorkersCrashing"),
    "oom_killed": ("the kernel killed it at its memory limit", "find the leak, or raise `limits.memory`",
                   "PoolwardenWorkerOOMKilled"),
    "killed_external": ("a signal that Poolwarden did not send", "look for scripts, operators, dmesg",
                        "PoolwardenWorkersCrashing"),
    "killed_by_supervisor": ("did not stop in time and was killed", "let it react to `stop.signal` sooner",
                             "PoolwardenWorkerShutdownTimeouts"),
    "startup_timeout": ("not ready within `ready.timeout`", "find what its start waits for",
                        "PoolwardenWorkerStartupSlow"),
    "ping_timeout": ("did not answer its pings", "read the stacks it wrote at `health.stack_signal`",
                     "PoolwardenWorkerPingFailing"),
    "request_timeout": ("a request took longer than `health.request_timeout`", "find what it waits for",
                        "PoolwardenWorkerPingFailing"),
    "deadlock": ("answered nothing while requests waited", "read the stacks it wrote; look for locks",
                 "PoolwardenWorkerPingFailing"),
    "protocol_error": ("broke the protocol between worker and supervisor", "read the end of its output",
                       "PoolwardenWorkersCrashing"),
    "port_in_use": ("its address was taken", "let it listen where it is told",
                    "PoolwardenWorkerStartFailing"),
    "unknown": ("no rule explains this end", "read the end of its output", "PoolwardenWorkersCrashing"),
}

EXIT_CODES = {
    "0": "success: it said that it had finished",
    "1": "general error; also an uncaught exception in many languages",
    "2": "wrong usage, in most programs and shells",
    "64": "EX_USAGE: wrong usage",
    "65": "EX_DATAERR: wrong input data",
    "66": "EX_NOINPUT: an input file is missing",
    "69": "EX_UNAVAILABLE: a service that it needs is not there",
    "70": "EX_SOFTWARE: internal error",
    "71": "EX_OSERR: the system refused something",
    "73": "EX_CANTCREAT: cannot write a file",
    "74": "EX_IOERR: input or output failed",
    "75": "EX_TEMPFAIL: try again later",
    "77": "EX_NOPERM: not permitted",
    "78": "EX_CONFIG: its configuration is wrong",
    "126": "a shell found the program but could not run it",
    "127": "a shell did not find the program, or a library is missing",
    "130": "a shell's word for SIGINT (128 + 2)",
    "134": "a shell's word for SIGABRT (128 + 6)",
    "137": "a shell's word for SIGKILL (128 + 9): often the OOM killer",
    "139": "a shell's word for SIGSEGV (128 + 11)",
    "143": "a shell's word for SIGTERM (128 + 15)",
    "255": "exit(-1), or a code out of range",
}

SIGNALS = {
    "SIGABRT": "it aborted itself: assertion, exception, damaged heap",
    "SIGALRM": "a timer that it does not handle",
    "SIGBUS": "access to memory that is not there: a truncated file, a full /dev/shm",
    "SIGFPE": "division by zero and the like",
    "SIGHUP": "sent from outside",
    "SIGILL": "not an instruction of this processor",
    "SIGINT": "sent from outside, as Ctrl-C does",
    "SIGKILL": "the OOM killer, our stop.timeout, or somebody else",
    "SIGPIPE": "wrote to a connection that was gone",
    "SIGQUIT": "asked to quit",
    "SIGSEGV": "access to memory that it does not have",
    "SIGSYS": "a system call that seccomp forbids",
    "SIGTERM": "asked to end, by the supervisor or from outside",
    "SIGTRAP": "a breakpoint without a debugger",
    "SIGXCPU": "RLIMIT_CPU",
    "SIGXFSZ": "RLIMIT_FSIZE",
}

# Why panels may be empty.
NO_CGROUP = "not measured: no cgroup of its own"
NO_LIMIT = "no limit is set"
NO_HTTP = "not an HTTP pool"

RUNBOOKS = "https://github.com/poolwarden/poolwarden/blob/main/docs/runbooks"


def runbook(alert):
    return f"{RUNBOOKS}/{alert}.md"
