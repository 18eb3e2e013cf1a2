"""shutdown.delay: a service that was told to end serves on until load balancers have noticed."""

import http.client
import os
import re
import signal
import time

from waiting import eventually
from web import Load, exchange


def test_it_serves_on_and_says_that_it_ends(supervise):
    supervisor = supervise({"web": {}}, shutdown={"delay": "1h"})
    kept = http.client.HTTPConnection("127.0.0.1", supervisor.port, timeout=60)
    assert exchange(kept, "/info").headers["Connection"] is None
    [worker] = supervisor.worker_pids()

    os.kill(supervisor.pid(), signal.SIGTERM)
    eventually(lambda: supervisor.admin("/readyz").status == 503, "not ready any more")
    eventually(lambda: supervisor.get().headers["Connection"] == "close", "the last call")

    assert supervisor.admin("/healthz").status == 200
    last = exchange(kept, "/info")
    assert (last.status, last.headers["Connection"]) == (200, "close")
    assert last.json["pid"] == worker
    for _ in range(100):  # it is not on its way out
        assert supervisor.get().status == 200
    assert supervisor.stop() == 0  # told again, it does not wait


def test_a_reload_changes_for_how_long(supervise):
    supervisor = supervise({"web": {}})
    supervisor.change(shutdown={"delay": "1h"})

    planned = supervisor.run("plan")
    assert re.search(r"^\(top\) +live change +shutdown\.delay$", planned.stdout, re.MULTILINE)
    assert "would change nothing" not in planned.stdout
    assert "live change of shutdown.delay; 1 unchanged" in supervisor.run("reload", "--wait").stdout

    os.kill(supervisor.pid(), signal.SIGTERM)
    eventually(lambda: supervisor.get().headers["Connection"] == "close", "the last call")
    assert supervisor.admin("/readyz").status == 503
    assert supervisor.stop() == 0


def test_it_ends_when_the_time_is_over(supervise):
    delay = 2  # seconds
    supervisor = supervise({"web": {}}, shutdown={"delay": f"{delay}s"})

    with Load(supervisor.port, connections=4, until_refused=True) as load:
        load.wait_for_more(100)
        told = time.monotonic()
        os.kill(supervisor.pid(), signal.SIGTERM)
        load.join()
        refused = time.monotonic()
        assert supervisor.process.wait(30) == 0

    assert refused - told >= delay
    assert load.lost == []
    assert len(load.broken) == 4  # each connection was refused once, at the end
    assert set(load.answers) == {(200, None)}


def test_a_gateway_that_is_started_meanwhile_closes_connections_too(supervise):
    supervisor = supervise({"web": {}}, shutdown={"delay": "1h"})
    os.kill(supervisor.pid(), signal.SIGTERM)
    eventually(lambda: supervisor.get().headers["Connection"] == "close", "the last call")
    gateway = supervisor.gateway_pid()

    os.kill(gateway, signal.SIGKILL)
    eventually(lambda: supervisor.gateway_pid() not in (gateway, 0), "another gateway")

    assert eventually(supervisor.get, "an answer").headers["Connection"] == "close"
    assert supervisor.stop() == 0


def test_a_pool_without_routes_serves_on_as_long(supervise):
    supervisor = supervise({"web": {}, "cache": {"routes": [], "command": ["sleep", "infinity"]}},
                           shutdown={"delay": "1h"})

    os.kill(supervisor.pid(), signal.SIGTERM)
    eventually(lambda: supervisor.get().headers["Connection"] == "close", "the last call")

    pools = {pool["name"]: pool["state"] for pool in supervisor.status()["pools"]}
    assert pools == {"web": "running", "cache": "running"}
    assert supervisor.stop() == 0


def test_an_essential_pool_that_has_failed_waits_for_nobody(supervise):
    supervisor = supervise({"web": {"essential": True, "rapid_fail": {"failures": 1}}},
                           shutdown={"delay": "1h"})

    supervisor.post("/crash")

    assert supervisor.process.wait(60) == 10
