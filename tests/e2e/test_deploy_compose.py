"""deploy/compose as a user starts it: everything comes up, finds each other, and shows something.

Prometheus and Alertmanager are Debian's, in images made here, for no registry can be reached. There
is no Grafana to be had; what it reads is checked in tests/integration/test_deploy_files.py."""

import json
import os
import subprocess
from urllib.parse import quote

import pytest
import yaml

from deployment import COMPOSE, adapter_queries, load
from images import build
from schemas import compose_schema
from supervisor import free_port
from waiting import eventually
from web import request

SERVICES = ("poolwarden", "visitor", "prometheus", "alertmanager")

# As the published images are: their user, their folders, a wget.
MONITORING = """\
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends {package} wget \\
    && install -d -o nobody -g nogroup {data}
USER nobody
WORKDIR {data}
EXPOSE {port}
ENTRYPOINT ["/usr/bin/{package}"]
"""


@pytest.fixture(scope="module")
def monitoring(engine, tmp_path_factory):
    """Service -> the image that stands for it."""
    made = {}
    for service, package, port in (("prometheus", "prometheus", 9090),
                                   ("alertmanager", "prometheus-alertmanager", 9093)):
        folder = tmp_path_factory.mktemp(service)
        (folder / "Dockerfile").write_text(
            MONITORING.format(package=package, data=f"/{service}", port=port))
        made[service] = build(engine, f"poolwarden-e2e-{service}", folder)
    return made


class Compose:
    """The compose file with other images and ports, and nothing else changed."""

    def __init__(self, project, images, folder):
        self.project = project
        self.override = folder / "override.yml"
        self.override.write_text(yaml.safe_dump(
            {"services": {service: {"image": image} for service, image in images.items()}}))
        self.ports = {name: free_port() for name in
                      ("POOLWARDEN_PORT", "POOLWARDEN_ADMIN_PORT", "PROMETHEUS_PORT",
                       "ALERTMANAGER_PORT", "GRAFANA_PORT")}

    def __call__(self, *arguments, timeout=120):
        environment = {**os.environ, **{name: str(port) for name, port in self.ports.items()}}
        result = subprocess.run(
            ["/usr/bin/docker-compose", "--project-name", self.project, "--file", COMPOSE, "--file",
             self.override, *arguments], capture_output=True, text=True, timeout=timeout,
            env=environment)
        assert result.returncode == 0, f"docker-compose {arguments}: {result.stdout}{result.stderr}"
        return result.stdout

    def get(self, port, path, **how):
        answer = request(self.ports[port], path, **how)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer.text

    def prometheus(self, path):
        return json.loads(self.get("PROMETHEUS_PORT", f"/api/v1/{path}"))["data"]

    def value(self, query):
        """Of a query with one result; None when there is none yet."""
        result = self.prometheus("query?query=" + quote(query))["result"]
        return float(result[0]["value"][1]) if result else None


@pytest.fixture(scope="module")
def compose(engine, image, monitoring, tmp_path_factory):
    run = Compose(engine.project, {"poolwarden": image, "visitor": image, **monitoring},
                  tmp_path_factory.mktemp("compose"))
    try:
        run("up", "--detach", "--no-build", *SERVICES)
        yield run
    finally:
        try:
            print(run("logs", "--no-color", "--tail", "60"))  # shown when a test failed
        finally:
            run("down", "--volumes", "--timeout", "20")


def state(engine, compose, service):
    return json.loads(engine.docker("inspect", compose("ps", "--quiet", service).strip()))[0]


def test_all_are_healthy(engine, compose):
    for service in ("poolwarden", "prometheus", "alertmanager"):
        eventually(lambda: state(engine, compose, service)["State"]["Health"]["Status"] == "healthy",
                   f"{service} is healthy", 90)


def test_prometheus_scrapes_poolwarden(compose):
    def is_up():
        targets = compose.prometheus("targets?state=active")["activeTargets"]
        return [target["health"] for target in targets if target["labels"]["job"] == "poolwarden"] == ["up"]
    eventually(is_up, "the target", 60)


def test_rules_are_evaluated_without_error(compose):
    def rules():
        return [rule for group in compose.prometheus("rules")["groups"] for rule in group["rules"]]
    eventually(lambda: rules() and all(rule["health"] != "unknown" for rule in rules()),
               "every rule evaluated", 60)
    assert {rule["type"] for rule in rules()} == {"alerting", "recording"}
    assert [rule for rule in rules() if rule["health"] != "ok"] == []


def test_alertmanager_is_found(compose):
    eventually(lambda: [each["url"] for each in compose.prometheus("alertmanagers")["activeAlertmanagers"]]
               == ["http://alertmanager:9093/api/v2/alerts"], "the Alertmanager", 60)
    assert json.loads(compose.get("ALERTMANAGER_PORT", "/api/v2/status"))["cluster"]


@pytest.mark.parametrize("pool", ["web", "reports"])
def test_boards_have_something_to_show(compose, pool):
    query = f'sum(rate(poolwarden_http_requests_total{{pool="{pool}",code="200"}}[1m]))'
    eventually(lambda: (compose.value(query) or 0) > 0, f"requests of {pool}", 90)


def test_autoscaler_would_see_the_load(compose):
    """The queries of deploy/kubernetes/prometheus-adapter.yaml; an instance for a pod."""
    queries = adapter_queries("instance", 'job="poolwarden"')
    busy = queries["poolwarden_requests_in_flight_per_worker"]
    eventually(lambda: (compose.value(busy) or 0) > 0, "requests in flight", 120)
    assert compose.value(queries["poolwarden_queue_length_per_worker"]) == 0


def test_gateway_answers_where_the_file_says(compose):
    assert "pool" in compose.get("POOLWARDEN_PORT", "/info")


def test_no_alert_on_a_healthy_system(compose):
    assert [alert for alert in compose.prometheus("alerts")["alerts"] if alert["state"] == "firing"] == []


def test_nothing_is_lost_by_its_stop(engine, compose):
    """Last of this file: Poolwarden ends within its grace, and by itself."""
    container = state(engine, compose, "poolwarden")
    assert container["Config"]["StopTimeout"] == 15
    assert container["HostConfig"]["ReadonlyRootfs"] and container["HostConfig"]["CapDrop"] == ["ALL"]
    compose("stop", "poolwarden")
    assert json.loads(engine.docker("inspect", container["Id"]))[0]["State"]["ExitCode"] == 0


def test_file_follows_the_compose_specification():
    errors = [f"{'/'.join(map(str, error.path))}: {error.message}"
              for error in compose_schema().iter_errors(load(COMPOSE))]
    assert errors == []
