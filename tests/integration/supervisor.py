"""`poolwarden run` as a story drives it: its configuration, its addresses, its commands, its end."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from exposition import parse_metrics
from waiting import eventually
from web import request

# Below the ports that the kernel hands out by itself, and apart for each of pytest's processes.
_ports = itertools.count(18000 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]))


def free_port():
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


class Supervisor:
    """Not started until start(). `pools` and `options` are what the configuration file says, so a
    story shows the settings that it is about."""

    def __init__(self, program, pools, wait="ready", prefix=(), stdout=None, command=None,
                 in_own_folder=False, environment=None, **options):
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="pw-"))  # short: a socket's path has 107 bytes
        # The gateway, another user, passes through it to the workers; with `in_own_folder` the
        # supervisor is another user too, and has it for its socket.
        self.folder.chmod(0o755)
        if in_own_folder:
            os.chown(self.folder, 65534, 65534)
        self.port = free_port()
        self.admin_port = free_port()
        self.control = self.folder / "control.sock"
        self.file = self.folder / "poolwarden.yaml"
        self.log_path = self.folder / "log"
        self.marker = f"STORY={self.folder.name}"
        self.process = None
        self._wait, self._prefix, self._stdout = wait, list(prefix), stdout
        self._environment = environment or {}  # of the supervisor itself
        self._command = command  # one command instead of a file
        self.settings = {
            "listen": f"127.0.0.1:{self.port}",
            "admin": f"127.0.0.1:{self.admin_port}",
            "control": str(self.control),
            "log": {"format": "json", "level": "info"},
            **options,
            "pools": {name: self._pool(settings) for name, settings in pools.items()},
        }

    def _pool(self, settings):
        """Without a command: the sample worker. All processes carry the story's mark."""
        name, value = self.marker.split("=")
        # A sanitized worker dies of a signal as any other does, without the sanitizer's report.
        sanitizer = os.environ.get("ASAN_OPTIONS", "").split(":") + ["handle_segv=0"]
        environment = {name: value, "ASAN_OPTIONS": ":".join(filter(None, sanitizer)),
                       **settings.get("environment", {})}
        return {"command": [self.program, "sample-worker"], "routes": [{"path": "/"}], **settings,
                "environment": environment}

    # Its life

    def start(self):
        self.write_file()
        name, value = self.marker.split("=")
        stdout = self._stdout or open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*self._prefix, self.program, "run", *self._arguments()], stdin=subprocess.DEVNULL,
            stdout=stdout, stderr=subprocess.STDOUT, env={**os.environ, **self._environment, name: value})
        if self._wait == "ready":
            self.wait_ready()
        elif self._wait == "up":
            self.wait_up()

    def write_file(self):
        self.file.write_text(json.dumps(self.settings, indent=2))

    def change(self, pools=None, without=(), **options):
        """Changes the file: pools get these settings in place of what they had, or are new."""
        self.settings.update(options)
        for name in without:
            del self.settings["pools"][name]
        for name, settings in (pools or {}).items():
            self.settings["pools"][name] = self._pool(settings)
        self.write_file()

    def _arguments(self):
        if self._command is None:
            return [str(self.file)]
        return ["--listen", self.settings["listen"], "--admin", self.settings["admin"],
                "--control", self.settings["control"], "--", *self._command]

    def wait_ready(self):
        eventually(lambda: self._runs() and self.admin("/readyz").status == 200
                   and self._all_serve(), "ready")

    def _all_serve(self):
        """A pool is ready with its first worker; a story begins with all of them. On a busy machine
        one rests sooner than it is asked about."""
        metrics = self.metrics()
        serving = sum(metrics.value("poolwarden_workers", state=state)
                      for state in ("idle", "busy", "suspended"))
        return serving == metrics.value("poolwarden_workers_desired")

    def wait_up(self):
        eventually(lambda: self._runs() and self.admin("/healthz").status == 200, "up")

    def _runs(self):
        status = self.process.poll()
        assert status is None, f"poolwarden ended with {status}:\n{self.log_tail()}"
        return True

    def stop(self, timeout=60):
        """Asks it to end, and returns its exit code."""
        os.kill(self.pid(), signal.SIGTERM)
        return self.process.wait(timeout)

    def pid(self):
        """Its own: a prefix becomes it (setpriv), or starts it (unshare --fork)."""
        pid = self.process.pid
        if not self._prefix or os.path.samefile(f"/proc/{pid}/exe", self.program):
            return pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def finish(self):
        """The end of every story: a graceful stop, and nothing left behind."""
        if self.process.poll() is None:
            code = self.stop()
            assert code == 0, f"poolwarden ended with {code}"
        eventually(lambda: not self.survivors(), f"no survivors, but {self.survivors()}")
        complaints = [line for line in self.log_text().splitlines()
                      if "Sanitizer: " in line or "runtime error" in line]
        assert not complaints, "\n".join(complaints)

    def destroy(self):
        """Whatever happened, nothing outlives the story."""
        for pid in [*self.survivors()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def survivors(self):
        """Processes of this story, by the mark in their environment: pid -> command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if self.marker.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue  # it has just ended, or it is a zombie
        return found

    # Its addresses

    def get(self, path="/info", **how):
        return request(self.port, path, **how)

    def post(self, path, **how):
        return request(self.port, path, method="POST", **how)

    def admin(self, path):
        return request(self.admin_port, path)

    def metrics(self):
        answer = self.admin("/metrics")
        assert answer.status == 200
        return parse_metrics(answer.text)

    def metric(self, name, **labels):
        return self.metrics().value(name, **labels)

    # Its commands

    def run(self, *arguments, timeout=60):
        return subprocess.run([self.program, *arguments, "--control", str(self.control)],
                              capture_output=True, text=True, timeout=timeout)

    def status(self):
        result = self.run("status", "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def pool(self, name="web"):
        return next(pool for pool in self.status()["pools"] if pool["name"] == name)

    def workers(self, name="web", state="serving"):
        workers = sorted(self.pool(name)["workers"], key=lambda worker: worker["slot"])
        return [worker for worker in workers if state is None or worker["state"] == state]

    def worker_pids(self, name="web"):
        return [worker["pid"] for worker in self.workers(name)]

    def gateway_pid(self):
        return self.status()["supervisor"]["gateway_pid"]

    def events(self):
        result = self.run("events", "--json")
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    def events_of(self, name, **fields):
        """Events of this name whose fields have these values."""
        return [event for event in self.events()
                if event["event"] == name and fields.items() <= event.items()]

    def event_names(self):
        return [event["event"] for event in self.events()]

    # Its log

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self):
        return "\n".join(self.log_text().splitlines()[-60:])
