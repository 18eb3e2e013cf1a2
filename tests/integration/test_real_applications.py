"""Applications as they are: served through the gateway, killed under load, replaced."""

import os
import signal
from pathlib import Path

import pytest

from waiting import eventually, gone
from web import Load

APPLICATIONS = Path(__file__).parent / "applications"
INHERITED = {"connect": "inherit", "ready": {"when": "http: /"}}
GUNICORN = ["gunicorn", "wsgi_app:app", "--log-level", "warning"]
UVICORN = ["uvicorn", "asgi_app:app", "--log-level", "warning"]

POOLS = {
    "gunicorn-unix": {"command": [*GUNICORN, "--bind", "unix:${POOLWARDEN_SOCKET}"]},
    "gunicorn-tcp": {"command": [*GUNICORN, "--bind", "${HOST}:${PORT}"], "connect": "tcp"},
    "gunicorn-inherit": {"command": GUNICORN, **INHERITED},
    "node-unix": {"command": ["node", "server.js"]},
    "node-tcp": {"command": ["node", "server.js"], "connect": "tcp"},
    "node-inherit": {"command": ["node", "server.js"], **INHERITED},
    "uvicorn-unix": {"command": [*UVICORN, "--uds", "${POOLWARDEN_SOCKET}"]},
    "uvicorn-tcp": {"command": [*UVICORN, "--host", "${HOST}", "--port", "${PORT}"],
                    "connect": "tcp"},
    "uvicorn-inherit": {"command": [*UVICORN, "--fd", "3"], **INHERITED},
    "php-tcp": {"command": ["php", "-q", "-S", "${HOST}:${PORT}", "index.php"], "connect": "tcp"},
}


@pytest.mark.parametrize("name", POOLS)
def test_serves_and_is_replaced_when_killed_under_load(supervise, name):
    application = name.split("-")[0]
    pool = {"directory": str(APPLICATIONS), "workers": 2, **POOLS[name]}
    supervisor = supervise({"web": pool})
    assert supervisor.get("/").json["application"] == application
    sent = b"[" + b"1," * 50_000 + b"1]"
    assert supervisor.post("/", body=sent).body == sent

    with Load(supervisor.port, "/") as load:
        load.wait_for_more(50)
        victim = supervisor.worker_pids()[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: gone(victim), "the victim's end")
        eventually(lambda: victim not in supervisor.worker_pids()
                   and len(supervisor.worker_pids()) == 2, "its replacement")
        load.wait_for_more(50)

    # What was in flight at the victim may be lost, and is said to be; nothing else may fail.
    assert len(load.failures) <= 8
    assert {answer for answer in load.answers if answer[0] != 200} <= {(502, "worker_died")}
    assert supervisor.metric("poolwarden_worker_failures_total", pool="web",
                             diagnosis="killed_external") == 1
    assert supervisor.metric("poolwarden_worker_starts_total", pool="web", reason="replace") == 1
