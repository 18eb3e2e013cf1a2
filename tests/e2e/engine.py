"""A Docker engine: the one that runs here, or one that is started for as long as the tests take."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "build" / "e2e"  # kept between runs: images are the slow part


class Engine:
    """start() first. All that these tests make carries `label`, or is docker-compose's and of
    `project`; clean() removes it."""

    def __init__(self):
        self.label = f"poolwarden-e2e={os.getpid()}"
        self.project = f"poolwarden-e2e-{os.getpid()}"
        self.log = DATA / "dockerd.log"
        self._daemon = None
        self._folder = None

    def start(self):
        if not self._answers():
            self._start_daemon()
        return self

    def stop(self):
        try:
            self.clean()
        finally:
            if self._daemon is not None:
                self._daemon.terminate()
                self._daemon.wait(60)
                shutil.rmtree(self._folder, ignore_errors=True)

    def clean(self):
        """Containers first, for networks and volumes cannot be removed under them."""
        for listing, removal in ((("ps", "--all"), ("rm", "--force", "--volumes")),
                                 (("network", "ls"), ("network", "rm")),
                                 (("volume", "ls"), ("volume", "rm"))):
            for label in (self.label, f"com.docker.compose.project={self.project}"):
                found = self.docker(*listing, "--quiet", "--filter", f"label={label}").split()
                if found:
                    self.docker(*removal, *found)

    def docker(self, *arguments, **how):
        """What the command says; an AssertionError with its complaint when it fails."""
        result = self.try_docker(*arguments, **how)
        assert result.returncode == 0, (
            f"docker {' '.join(map(str, arguments))} ended with {result.returncode}:\n"
            f"{result.stderr}{result.stdout[-4000:]}")
        return result.stdout.strip()

    def try_docker(self, *arguments, timeout=120, **how):
        # The builder of BuildKit is a plugin that Debian does not have.
        environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
        return subprocess.run(["docker", *map(str, arguments)], capture_output=True, text=True,
                              errors="replace", timeout=timeout, env=environment, **how)

    def _answers(self):
        try:
            return self.try_docker("version", "--format", "{{.Server.Version}}").returncode == 0
        except FileNotFoundError:
            raise RuntimeError("there is no docker here: run `deploy/install-packages e2e`") from None

    def _start_daemon(self):
        if os.geteuid() != 0:
            raise RuntimeError("no Docker engine answers, and only root can start one")
        mount_cgroups()
        DATA.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="pw-engine-"))  # short: it has sockets
        address = f"unix://{self._folder}/docker.sock"
        with self.log.open("wb") as log:
            self._daemon = subprocess.Popen(
                ["dockerd", "--host", address, "--data-root", str(DATA / "docker"),
                 "--exec-root", str(self._folder / "exec"),
                 "--pidfile", str(self._folder / "dockerd.pid")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        os.environ["DOCKER_HOST"] = address  # for all that the tests start
        eventually(self._up, "an answer of dockerd", 90)

    def _up(self):
        status = self._daemon.poll()
        assert status is None, f"dockerd ended with {status}:\n{self.log_tail()}"
        return self._answers()

    def log_tail(self):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])


def mount_cgroups():
    """An init system does this; a machine may have none."""
    mounted = {line.split()[2] for line in Path("/proc/self/mounts").read_text().splitlines()}
    if not mounted & {"cgroup", "cgroup2"}:
        subprocess.run(["cgroupfs-mount"], check=True)
