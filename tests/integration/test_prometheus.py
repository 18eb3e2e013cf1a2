"""A real Prometheus scrapes the program, and promtool finds nothing to say about what it reads."""

import json
import subprocess
import urllib.parse

import pytest

from supervisor import free_port
from waiting import eventually
from web import request


@pytest.fixture
def prometheus(tmp_path):
    """Starts a Prometheus that scrapes the given port every second; returns query(expression)."""
    running = []

    def start(target):
        port = free_port()
        settings = tmp_path / "prometheus.json"  # JSON is YAML
        settings.write_text(json.dumps({
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "poolwarden",
                                "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}]}))
        running.append(subprocess.Popen(
            ["prometheus", f"--config.file={settings}", f"--storage.tsdb.path={tmp_path}/data",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

        def query(expression):
            answer = request(port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
            if answer.status != 200:  # it is starting
                return []
            return [float(series["value"][1]) for series in answer.json["data"]["result"]]

        return query

    yield start
    for process in running:
        process.terminate()
        process.wait(30)


def test_scrapes_and_answers(supervise, prometheus):
    supervisor = supervise({"web": {"workers": 2}})
    for _ in range(20):
        assert supervisor.get().status == 200

    query = prometheus(supervisor.admin_port)

    eventually(lambda: query('up{job="poolwarden"}') == [1], "a scrape")
    eventually(lambda: query('sum(poolwarden_workers{pool="web"})') == [2], "two workers")
    eventually(lambda: sum(query('poolwarden_http_requests_total{pool="web",code="200"}')) >= 20,
               "the requests")
    assert query('poolwarden_pool_state{state="running"}') == [1]


def check(text):
    return subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          timeout=60)


def test_promtool_is_content(supervise):
    supervisor = supervise({"web": {"workers": 2}, "batch": {"routes": [], "command": ["sleep", "infinity"]}})
    fresh = check(supervisor.admin("/metrics").body)
    supervisor.get()
    supervisor.post("/crash")
    eventually(lambda: supervisor.metric("poolwarden_worker_failures_total", pool="web") == 1,
               "the crash counted")

    used = check(supervisor.admin("/metrics").body)

    for result in (fresh, used):
        assert (result.returncode, result.stdout + result.stderr) == (0, b"")
