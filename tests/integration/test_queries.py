"""Everything that the boards, the rules and the alerts ask, asked of a real Prometheus that watches
the real program while it goes through a drill."""

import re

import pytest

from alerting import alerting_rules, prometheus
from boards import board_queries
from deployment import DEPLOY, load
from waiting import eventually
from web import Load

RATE = "20s"  # the scrapes come each second here, not every 15


def recording_rules():
    return [rule for group in load(DEPLOY / "prometheus" / "rules" / "poolwarden.rules.yml")["groups"]
            for rule in group["rules"]]


def ask(server, expression, instant=True, since=None):
    """The series that it gives; an error of the query fails the story."""
    if instant:
        answer = server.get("/api/v1/query", query=expression)
    else:
        now = float(server.get("/api/v1/query", query="time()")["data"]["result"][1])
        answer = server.get("/api/v1/query_range", query=expression, start=since or now - 60, end=now,
                            step=1)
    assert answer["status"] == "success", answer
    return answer["data"]["result"]


def has_data(result, nan_too=False):
    if result and not isinstance(result[0], dict):  # a scalar
        return True
    values = [value for series in result for value in [series.get("value"), *series.get("values", [])]
              if value]
    return any(nan_too or value[1] != "NaN" for value in values)


def asked_of_boards(values=None):
    intervals = {"rate_interval": RATE, "interval": "1s", "interval_ms": "1000", "range": "5m"}
    return list(board_queries(values, **intervals))


def empty_ones(server, queries, nan_too=False):
    return [f"{query.board}: {query.panel}: {query.expression}" for query in queries
            if query.may_be_empty is None
            and not has_data(ask(server, query.expression, query.instant), nan_too)]


def settle(server):
    """Until there is a range of scrapes to count over."""
    eventually(lambda: has_data(ask(server, "rate(poolwarden_http_sent_bytes_total[20s])"))
               and float(ask(server, "count_over_time(up[1m])")[0]["value"][1]) >= 5, "five scrapes")


@pytest.fixture
def pools():
    """One pool of each kind that a board tells apart."""
    return {
        "web": {"workers": 2, "health": {"ping": {"http": "/healthz", "interval": "1s", "timeout": "5s"}},
                "limits": {"memory": "256MiB", "pids": 64}, "containment": "best_effort",
                "rapid_fail": {"failures": 50}},
        "api": {"routes": [{"path": "/api"}], "start": "on_demand"},
        "broken": {"routes": [{"host": "broken"}]},
        "batch": {"routes": [], "command": ["sleep", "infinity"]},
    }


def test_what_is_asked_is_answered_during_a_drill(supervise, pools, tmp_path):
    supervisor = supervise(pools)
    with prometheus(tmp_path, supervisor.admin_port) as server, \
            Load(supervisor.port, "/slow?seconds=0.05", connections=4):
        settle(server)
        for deed in ("segv", "recycle", "exit=3"):
            assert supervisor.run("drill", "web", deed).returncode == 0
        # Not five times: one that meets a worker at its end makes no further crash.
        eventually(lambda: supervisor.post("/crash", headers={"Host": "broken"}).headers[
            "X-Poolwarden-Reason"] == "rapid_fail", "the trip")
        assert supervisor.get("/api").status != 503
        supervisor.run("reload")
        # So that one range has the drill, and what came before it.
        tripped = 'increase(poolwarden_pool_rapid_fail_trips_total{pool="broken"}[20s]) > 0'
        eventually(lambda: has_data(ask(server, tripped)), "the trip counted")

        queries = asked_of_boards()
        assert len(queries) > 100
        eventually(lambda: not empty_ones(server, queries), f"data in all: {empty_ones(server, queries)}")
        for query in queries:  # those that may be empty must be right too
            ask(server, query.expression, query.instant)
        for query in asked_of_boards({"pool": "web"}):
            ask(server, query.expression, query.instant)

        for rule in alerting_rules():
            ask(server, rule["expr"])
        # Rules over days have no such days here; their shares need failures and requests.
        recorded = [rule["record"] for rule in recording_rules()]
        assert len(recorded) > 15
        eventually(lambda: all(ask(server, name) for name in recorded),
                   f"recorded: {[name for name in recorded if not ask(server, name)]}", timeout=60)


def test_an_idle_system_leaves_nothing_empty_without_saying_so(supervise, pools, tmp_path):
    supervisor = supervise({name: pools[name] for name in ("web", "batch")})
    with prometheus(tmp_path, supervisor.admin_port) as server:
        settle(server)
        queries = asked_of_boards()

        # A share of no requests is NaN, which the boards show as "no traffic".
        eventually(lambda: not empty_ones(server, queries, nan_too=True),
                   f"data in all: {empty_ones(server, queries, nan_too=True)}")
        silent = {query.panel for query in queries if query.may_be_empty
                  and not has_data(ask(server, query.expression, query.instant))}
        assert silent  # nothing has failed, so something has nothing to show


def test_a_wrong_query_would_be_found(supervise, tmp_path):
    supervisor = supervise({"web": {}})
    with prometheus(tmp_path, supervisor.admin_port) as server:
        settle(server)
        assert not has_data(ask(server, "rate(poolwarden_http_sent_byte_total[20s])"))
        with pytest.raises(AssertionError, match=re.escape("bad_data")):
            ask(server, "rate(poolwarden_http_sent_bytes_total)")
