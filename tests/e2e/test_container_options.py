"""Options of `docker run` that change what is around the program."""

import http.client
import json
import socket

import pytest

from waiting import eventually
from web import TIMEOUT, exchange


@pytest.mark.parametrize("options", [["--init"], ["--pids-limit", "64"], ["--ipc", "none"],
                                     ["--memory", "256m"], ["--cpus", "0.5"]],
                         ids=lambda options: options[0])
def test_serves_and_heals(contain, options):
    container = contain({"web": {"workers": 2}}, options=options)
    before = container.worker_pids()

    container.post("/crash")

    eventually(lambda: len(container.worker_pids()) == 2 and container.worker_pids() != before,
               "the replacement")
    assert container.get().status == 200
    assert container.metric("poolwarden_containment_info",
                            pid1=json.dumps("--init" not in options)) == 1
    assert container.stop() == 0


def test_serves_without_a_network_over_a_socket_in_a_volume(contain, tmp_path):
    shared = tmp_path / "sockets"
    shared.mkdir()
    shared.chmod(0o777)

    container = contain({"web": {}}, listen="unix:/sockets/web.sock", wait=None,
                        options=["--network", "none", "--volume", f"{shared}:/sockets"])
    eventually(lambda: container.poolwarden("healthcheck").returncode == 0, "ready")

    connection = http.client.HTTPConnection("web", timeout=TIMEOUT)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(shared / "web.sock"))
    assert exchange(connection, "/info").json["pool"] == "web"
    connection.close()
    assert container.stop() == 0


def test_each_pool_is_a_user_of_its_own(contain):
    users = {"www-data": 33, "games": 5}
    pools = {user: {"identity": {"user": user}, "routes": [{"host": user}]} for user in users}

    container = contain(pools, options=["--user", "0"])

    for user, uid in users.items():
        assert container.get(headers={"Host": user}).status == 200
        [worker] = container.worker_pids(user)
        status = container.exec("cat", f"/proc/{worker}/status").stdout
        assert f"\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n" in status
        assert "\nNoNewPrivs:\t1\n" in status
    assert container.stop() == 0
