"""Commands find the supervisor of their user when nobody names its socket."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from test_privileges import AS_NOBODY, end

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


@pytest.fixture
def shared_place():
    """The last but one of the places in which a socket is looked for."""
    folder = Path("/tmp/poolwarden-65534")
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    yield folder / "control.sock"
    shutil.rmtree(folder)


def test_a_socket_that_a_killed_supervisor_left_is_passed_over(supervise, program, shared_place):
    supervisor = supervise({"web": {}}, prefix=AS_NOBODY, in_own_folder=True)
    try:
        os.link(supervisor.control, shared_place)
        left = supervisor.folder / "runtime" / "poolwarden" / "control.sock"
        left.parent.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(left))
            killed.listen()
        left.chmod(0o777)

        status = subprocess.run(
            [*AS_NOBODY, program, "status", "--json"], capture_output=True, text=True, timeout=60,
            env={**os.environ, "XDG_RUNTIME_DIR": str(left.parent.parent)})

        assert status.returncode == 0, status.stderr
        assert [pool["name"] for pool in json.loads(status.stdout)["pools"]] == ["web"]
    finally:
        end(supervisor)
