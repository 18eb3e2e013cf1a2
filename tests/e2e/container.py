"""One container of the program as a test drives it: its configuration, its addresses, its end."""

import json
import shutil
import tempfile
from pathlib import Path

from exposition import parse_metrics
from waiting import eventually
from web import request

CONFIGURATION = "/etc/poolwarden/poolwarden.yaml"
GATEWAY = 8080
ADMIN = 9180


class Container:
    """Not started until start(). `pools` and `settings` are what the configuration file says; a
    pool without a command runs the sample worker. `options` are those of `docker run`, `command`
    is what follows the image's name. Without pools there is no file."""

    def __init__(self, engine, image, pools=None, options=(), command=(), **settings):
        self.engine, self.image = engine, image
        self.options, self.command = [*options], [*command]
        self.folder = Path(tempfile.mkdtemp(prefix="pw-e2e-"))
        self.folder.chmod(0o755)  # read by whatever user the container has
        self.file = self.folder / "poolwarden.yaml"
        self.settings = None
        if pools is not None:
            self.settings = {"listen": f"0.0.0.0:{GATEWAY}", "admin": f"0.0.0.0:{ADMIN}",
                             "log": {"format": "json", "level": "info"}, **settings,
                             "pools": {name: _pool(pool) for name, pool in pools.items()}}
            self.options += ["--volume", f"{self.file}:{CONFIGURATION}:ro"]
        self.id = None

    # Its life

    def start(self, wait="ready"):
        """`wait`: ready (/readyz says 200), up (/healthz does), ended, or None."""
        self.write_file()
        self.id = self.engine.docker(
            "run", "--detach", "--label", self.engine.label,
            "--publish", f"127.0.0.1::{GATEWAY}", "--publish", f"127.0.0.1::{ADMIN}",
            *self.options, self.image, *self.command)
        if wait:
            {"ready": self.wait_ready, "up": self.wait_up, "ended": self.wait_ended}[wait]()
        return self

    def write_file(self):
        """In place: the container has this inode mounted."""
        if self.settings is not None:
            self.file.write_text(json.dumps(self.settings, indent=2))

    def wait_ready(self):
        eventually(lambda: self._runs() and self.admin("/readyz").status == 200, "ready", 60)

    def wait_up(self):
        eventually(lambda: self._runs() and self.admin("/healthz").status == 200, "up", 60)

    def wait_ended(self, timeout=60):
        """Its exit code."""
        eventually(lambda: not self.running, "the container's end", timeout)
        return self.state["ExitCode"]

    def stop(self, grace=30):
        """`docker stop`; its exit code: 137 when the grace was not enough."""
        self.engine.docker("stop", "--time", grace, self.id, timeout=grace + 60)
        return self.state["ExitCode"]

    def kill(self, signal):
        self.engine.docker("kill", "--signal", signal, self.id)

    def restart(self):
        self.engine.docker("restart", self.id)
        self.wait_ready()

    def destroy(self):
        if self.id is not None:
            self.engine.try_docker("rm", "--force", "--volumes", self.id)
        shutil.rmtree(self.folder, ignore_errors=True)

    # What the engine says of it

    def inspect(self):
        return json.loads(self.engine.docker("inspect", self.id))[0]

    @property
    def state(self):
        return self.inspect()["State"]

    @property
    def running(self):
        return self.state["Running"]

    def _runs(self):
        assert self.running, f"the container ended with {self.state['ExitCode']}:\n{self.log_tail()}"
        return True

    @property
    def ip(self):
        """Its own address: no proxy of the engine is between, which would take connections for it
        that it refuses."""
        networks = self.inspect()["NetworkSettings"]["Networks"].values()
        return next(network["IPAddress"] for network in networks)

    def port(self, inside):
        """Where on this machine a port of the container is; another one after a restart."""
        return int(self.engine.docker("port", self.id, f"{inside}/tcp").splitlines()[0].rpartition(":")[2])

    def logs(self):
        result = self.engine.try_docker("logs", self.id)
        return result.stdout + result.stderr

    def log_tail(self):
        return "\n".join(self.logs().splitlines()[-60:]) if self.id is not None else ""

    def processes(self):
        """Every process in it, as ps of the host sees it: (state, user id, command line)."""
        listing = self.engine.docker("top", self.id, "-e", "-o", "pid,stat,uid,args")
        lines = [line.split(maxsplit=3) for line in listing.splitlines()[1:]]
        return [(state, int(uid), arguments) for _, state, uid, arguments in lines]

    # Its addresses

    def get(self, path="/info", **how):
        return request(self.port(GATEWAY), path, **how)

    def post(self, path, **how):
        return self.get(path, method="POST", **how)

    def admin(self, path):
        return request(self.port(ADMIN), path)

    def metrics(self):
        answer = self.admin("/metrics")
        assert answer.status == 200
        return parse_metrics(answer.text)

    def metric(self, name, **labels):
        return self.metrics().value(name, **labels)

    # Commands in it

    def exec(self, *command, options=()):
        return self.engine.try_docker("exec", *options, self.id, *command)

    def poolwarden(self, *arguments):
        return self.exec("poolwarden", *arguments)

    def status(self):
        result = self.poolwarden("status", "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def workers(self, pool="web"):
        found = next(each for each in self.status()["pools"] if each["name"] == pool)
        return [worker for worker in found["workers"] if worker["state"] == "serving"]

    def worker_pids(self, pool="web"):
        return [worker["pid"] for worker in self.workers(pool)]

    def events(self, name=None):
        result = self.poolwarden("events", "--json")
        assert result.returncode == 0, result.stderr
        found = [json.loads(line) for line in result.stdout.splitlines()]
        return [event for event in found if name in (None, event["event"])]


def _pool(settings):
    return {"command": ["poolwarden", "sample-worker"], "routes": [{"path": "/"}], **settings}
