"""A stack on Docker Swarm as a test drives it."""

import json
from pathlib import Path

import yaml

from deployment import STACK as FILE
from deployment import load
from swarm_machine import PATIENCE
from waiting import eventually

STACK = "poolwarden"
SERVICE = f"{STACK}_web"


class Swarm:
    """Of one node. The stack is deploy/swarm/stack.yml, with `image` for its image and more patience.
    What it writes is in `folder`."""

    def __init__(self, engine, image, folder):
        self.engine, self.image, self.folder = engine, image, folder

    def start(self):
        self.engine.docker("swarm", "init", "--advertise-addr", "127.0.0.1")
        self.engine.docker("tag", self.image, "poolwarden")
        self.engine.docker("stack", "deploy", "--resolve-image", "never", "--compose-file", "-",
                           STACK, input=yaml.safe_dump(self._stack()))
        eventually(lambda: self.healthy() >= 3, "three healthy replicas", PATIENCE)
        return self

    def _stack(self):
        """On an emulated processor a health check takes seconds to begin, and clients that ask all
        the time may be silent for longer than a stop waits for them."""
        stack = load(FILE)
        web, pools = stack["services"]["web"], stack["configs"]["pools"]
        web["healthcheck"]["timeout"] = "60s"
        web["stop_grace_period"] = "60s"
        settings = {**load(FILE.parent / pools["file"]), "shutdown": {"delay": "5s"}}
        pools["file"] = str(self.folder / "poolwarden.yaml")
        Path(pools["file"]).write_text(yaml.safe_dump(settings))
        return stack

    def update(self, image):
        """A rolling update; how it ended."""
        self.engine.docker("tag", self.image, image)
        self.engine.docker("service", "update", "--detach", "--no-resolve-image", "--image", image,
                           SERVICE)
        return eventually(self._update_end, "the end of the update", PATIENCE)

    def _update_end(self):
        service = json.loads(self.engine.docker("service", "inspect", SERVICE))[0]
        state = service.get("UpdateStatus", {}).get("State", "")
        return state if state not in ("", "updating", "rollback_started") else None

    def containers(self, *filters):
        options = [part for each in filters for part in ("--filter", each)]
        return self.engine.docker("ps", "--quiet", "--no-trunc", "--filter",
                                  f"label=com.docker.swarm.service.name={SERVICE}",
                                  *options).split()

    def healthy(self):
        return len(self.containers("health=healthy"))

    def inspect(self, container):
        return json.loads(self.engine.docker("inspect", container))[0]

    def pool(self, container, name="web"):
        status = self.engine.docker("exec", container, "poolwarden", "status", "--json")
        return next(each for each in json.loads(status)["pools"] if each["name"] == name)

    def kill(self, container, pid):
        """A process that is gone already is none the worse for it."""
        self.engine.try_docker("exec", container, "sh", "-c", f"kill -SEGV {pid}")
