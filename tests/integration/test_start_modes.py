"""start: always, on_demand, manual; and what `start` and `stop` do to them."""

from waiting import eventually
from web import Held, Load


def test_on_demand_starts_at_the_first_request(supervise):
    supervisor = supervise({"web": {"start": "on_demand"}}, wait="up")
    assert supervisor.workers(state=None) == []

    answer = supervisor.get()

    assert answer.status == 200
    assert answer.json["pool"] == "web"
    assert supervisor.metric("poolwarden_worker_starts_total", pool="web", reason="demand") == 1


def test_requests_wait_for_a_slow_start_on_demand(supervise):
    supervisor = supervise({"web": {"start": "on_demand",
                                    "environment": {"SAMPLE_START_DELAY": "1s"}}}, wait="up")

    with Load(supervisor.port, "/info", connections=8, limit=8) as load:
        load.join()

    assert load.failures == []
    assert supervisor.metric("poolwarden_worker_starts_total", pool="web") == 1


def test_manual_waits_for_start(supervise):
    supervisor = supervise({"web": {"start": "manual"}}, wait="up")
    answer = supervisor.get()
    assert (answer.status, answer.reason) == (503, "stopped")

    assert supervisor.run("start", "web", "--wait").returncode == 0

    assert supervisor.get().status == 200


def test_stop_and_start(supervise):
    supervisor = supervise({"web": {"workers": 2}})

    assert supervisor.run("stop", "web", "--wait").returncode == 0
    answer = supervisor.get()
    assert (answer.status, answer.reason) == (503, "stopped")
    assert supervisor.workers(state=None) == []
    assert supervisor.metric("poolwarden_pool_disabled", pool="web", reason="admin") == 1
    assert supervisor.metric("poolwarden_worker_failures_total", pool="web") == 0

    assert supervisor.run("start", "web", "--wait").returncode == 0
    eventually(lambda: supervisor.get().status == 200, "an answer")
    assert supervisor.metric("poolwarden_pool_disabled", pool="web", reason="admin") == 0


def test_stop_finishes_requests_in_flight(supervise):
    supervisor = supervise({"web": {}})

    with Held(supervisor.port, 2) as held:
        eventually(lambda: supervisor.metric("poolwarden_http_requests_in_flight", pool="web") == 2,
                   "requests in flight")
        assert supervisor.run("stop", "web").returncode == 0
        held.let_go()

    assert held.answers == [200, 200]
    eventually(lambda: supervisor.workers(state=None) == [], "it has stopped")


def test_ready_when_notified(supervise):
    supervisor = supervise({"web": {"ready": {"when": "notify"}}})

    assert supervisor.get().status == 200
    assert "serving on" in supervisor.run("status", "--json").stdout


def test_ready_when_http_answers(supervise):
    supervisor = supervise({"web": {"connect": "inherit", "ready": {"when": "http: /healthz"}}})

    assert supervisor.get().status == 200


def test_a_pool_without_routes(supervise, tmp_path):
    flag = tmp_path / "ran"
    supervisor = supervise({
        "batch": {"command": f"touch {flag}; exec sleep infinity", "routes": [],
                  "ready": {"when": "started"}},
        "web": {"routes": [{"path": "/web"}]},
    })

    eventually(flag.exists, "the worker's doing")
    answer = supervisor.get("/")
    assert (answer.status, answer.reason) == (404, "no_route")
