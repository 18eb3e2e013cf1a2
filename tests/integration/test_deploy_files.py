"""What deploy/ holds fits together, and fits the program."""

import os
import re
import signal
import subprocess

import pytest
import yaml

from deployment import (COMPOSE, DEPLOY, KUBERNETES, ROOT, STACK, UNIT, adapter_queries,
                        kubernetes_object, kubernetes_objects, load, longest_stop, seconds, unit_settings)

CONFIGURATION = DEPLOY / "compose" / "poolwarden.yaml"
SPARE = 1  # seconds for what comes after the workers: the gateway's end
YAML_FILES = sorted(path for pattern in ("*.yml", "*.yaml") for path in DEPLOY.rglob(pattern))
CONFIGURATIONS = [path for path in YAML_FILES if path.name == "poolwarden.yaml"
                  and "provisioning" not in path.parts]


def named(path):
    return str(path.relative_to(DEPLOY))


@pytest.mark.parametrize("path", YAML_FILES, ids=named)
def test_parses(path):
    assert list(yaml.safe_load_all(path.read_text()))


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=named)
def test_configuration_is_right(program, path):
    result = subprocess.run([program, "check", path], capture_output=True, text=True)
    assert result.returncode == 0 and not result.stderr, result.stdout + result.stderr


def test_config_map_holds_a_configuration_that_is_right(program, tmp_path):
    (held,) = kubernetes_objects()["configuration.yaml"]
    file = tmp_path / "poolwarden.yaml"
    file.write_text(held["data"]["poolwarden.yaml"])
    test_configuration_is_right(program, file)


def test_generated_manifests_are_up_to_date(tmp_path):
    subprocess.run([DEPLOY / "generate-kubernetes", tmp_path], check=True)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == ["configuration.yaml", "dashboards.yaml", "prometheus-rule.yaml"]
    for name in made:
        is_new = (KUBERNETES / name).read_text() == (tmp_path / name).read_text()
        assert is_new, f"deploy/kubernetes/{name} is old: run deploy/generate-kubernetes"


def test_prometheus_rule_says_what_the_rules_say():
    files = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
    groups = [group for path in files for group in load(path)["groups"]]
    assert kubernetes_object("PrometheusRule")["spec"]["groups"] == groups


def test_every_board_has_a_config_map_that_kubernetes_takes():
    boards = {path.name: path.read_text() for path in (ROOT / "dashboards").glob("*.json")}
    maps = kubernetes_objects()["dashboards.yaml"]
    assert sorted(name for each in maps for name in each["data"]) == sorted(boards)
    for each in maps:
        ((name, text),) = each["data"].items()
        is_board = text == boards[name]
        assert is_board, f"the ConfigMap {each['metadata']['name']} is not dashboards/{name}"
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        # An object has 1 MiB at most; `kubectl apply` copies it into an annotation of 256 KiB.
        assert len(yaml.safe_dump(each).encode()) < 256 * 1024


# How long they wait for an end


@pytest.fixture(scope="module")
def longest(program):
    return longest_stop(program, CONFIGURATION)


def test_all_that_a_stop_waits_for_counts(program, tmp_path):
    file = tmp_path / "poolwarden.yaml"
    pool = {"command": ["sleep", "9"], "stop": {"drain": "20s", "timeout": "3s"}}
    other = {"command": ["sleep", "9"], "stop": {"drain": "1s", "timeout": "1m"}, "routes": [{"path": "/b"}]}
    file.write_text(yaml.safe_dump({"listen": "127.0.0.1:8080", "shutdown": {"delay": "1m30s"}, "pools": {
        "a": {**pool, "routes": [{"path": "/"}]}, "b": other}}))
    assert longest_stop(program, file) == 90 + 20 + 60


def test_compose_waits_long_enough(longest):
    service = load(COMPOSE)["services"]["poolwarden"]
    assert "./poolwarden.yaml:/etc/poolwarden/poolwarden.yaml:ro" in service["volumes"]
    assert seconds(service["stop_grace_period"]) >= longest + SPARE


def test_swarm_waits_long_enough(longest):
    stack = load(STACK)
    assert (STACK.parent / stack["configs"]["pools"]["file"]).resolve() == CONFIGURATION
    assert seconds(stack["services"]["web"]["stop_grace_period"]) >= longest + SPARE


def test_systemd_waits_long_enough(longest):
    (limit,) = unit_settings()["Service", "TimeoutStopSec"]
    assert seconds(limit) >= longest + SPARE


def test_kubernetes_waits_long_enough(longest):
    (held,) = kubernetes_objects()["configuration.yaml"]
    assert held["data"]["poolwarden.yaml"] == CONFIGURATION.read_text()
    pod = kubernetes_object("Deployment")["spec"]["template"]["spec"]
    command = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    assert pod["terminationGracePeriodSeconds"] >= int(command[1]) + longest + SPARE


def test_kubernetes_arithmetic_is_right(longest):
    text = (KUBERNETES / "deployment.yaml").read_text()
    said = {what.strip(): int(number)
            for what, number in re.findall(r"#   ([a-z][^\n]*?)(?: \([^)]*\))?  +(\d+) s\b", text)}
    together = said.pop("together")
    pod = kubernetes_object("Deployment")["spec"]["template"]["spec"]
    assert sum(said.values()) == together <= pod["terminationGracePeriodSeconds"]
    command = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert said["preStop"] == int(command[1])
    assert said["stop.drain"] + said["stop.timeout"] == longest


# Names that one file has from another


def test_kubernetes_objects_find_each_other():
    deployment = kubernetes_object("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for selector in (deployment["spec"]["selector"]["matchLabels"],
                     kubernetes_object("Service")["spec"]["selector"],
                     kubernetes_object("PodMonitor")["spec"]["selector"]["matchLabels"],
                     kubernetes_object("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]):
        assert selector.items() <= labels
    configuration = load(CONFIGURATION)
    assert ports == {"http": int(configuration["listen"].rpartition(":")[2]),
                     "admin": int(configuration["admin"].rpartition(":")[2])}
    named_ports = [kubernetes_object("Service")["spec"]["ports"][0]["targetPort"],
                   kubernetes_object("PodMonitor")["spec"]["podMetricsEndpoints"][0]["port"],
                   *(container[probe]["httpGet"]["port"]
                     for probe in ("startupProbe", "readinessProbe"))]
    assert set(named_ports) <= set(ports)
    target = kubernetes_object("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    maps = {each["metadata"]["name"] for each in kubernetes_objects()["configuration.yaml"]}
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    assert {volume["configMap"]["name"] for volume in volumes if "configMap" in volume} <= maps


def test_liveness_asks_the_thread_that_supervises(supervise, program):
    """/healthz would say that a supervisor lives which hangs."""
    pod = kubernetes_object("Deployment")["spec"]["template"]["spec"]
    probe = pod["containers"][0]["livenessProbe"]
    name, *arguments = probe["exec"]["command"]
    assert name == "poolwarden"
    supervisor = supervise({"web": {}})

    def answer():
        return subprocess.run([program, *arguments, "--control", supervisor.control],
                              capture_output=True, text=True, timeout=probe["timeoutSeconds"])

    assert answer().returncode == 0
    os.kill(supervisor.pid(), signal.SIGSTOP)
    try:
        hung = answer()
    finally:
        os.kill(supervisor.pid(), signal.SIGCONT)
    assert hung.returncode == 3, hung.stderr


def test_kustomization_lists_all_manifests():
    listed = load(KUBERNETES / "kustomization.yaml")["resources"]
    others = {"kustomization.yaml", "prometheus-adapter.yaml"}
    assert sorted(listed) == sorted(set(kubernetes_objects()) - others)


def test_autoscaler_asks_for_what_the_adapter_has():
    metrics = kubernetes_object("HorizontalPodAutoscaler")["spec"]["metrics"]
    asked = {metric["pods"]["metric"]["name"] for metric in metrics if metric["type"] == "Pods"}
    assert asked == set(adapter_queries())


def test_adapter_queries_are_right(tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "adapter", "rules": [
        {"record": name, "expr": query} for name, query in adapter_queries().items()]}]}))
    result = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    known = set(re.findall(r"`(poolwarden_\w+)`", (ROOT / "docs" / "metrics.md").read_text()))
    for query in adapter_queries().values():
        assert set(re.findall(r"poolwarden_\w+", query)) <= known


def test_compose_services_find_each_other():
    services = load(COMPOSE)["services"]
    prometheus = load(DEPLOY / "prometheus" / "prometheus.yml")
    (job,) = [job for job in prometheus["scrape_configs"] if job["job_name"] == "poolwarden"]
    admin = load(CONFIGURATION)["admin"].rpartition(":")[2]
    assert job["static_configs"][0]["targets"] == [f"poolwarden:{admin}"]
    (alertmanagers,) = prometheus["alerting"]["alertmanagers"]
    addresses = [target for each in alertmanagers["static_configs"] for target in each["targets"]]
    assert addresses == ["alertmanager:9093"]
    assert {"poolwarden", "alertmanager", "prometheus", "grafana"} <= set(services)


def test_compose_mounts_what_is_there():
    for name, service in load(COMPOSE)["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE.parent / source).exists(), f"{name}: {source} does not exist"


def mounted(service, inside):
    """The file of this repository that a service of the compose file has at a path."""
    for volume in load(COMPOSE)["services"][service]["volumes"]:
        source, target = volume.split(":")[:2]
        if source.startswith(".") and os.path.commonpath([target, inside]) == target:
            return COMPOSE.parent / source / os.path.relpath(inside, target)
    raise AssertionError(f"{service} has nothing mounted at {inside}")


def test_grafana_finds_source_and_boards():
    source = load(mounted("grafana", "/etc/grafana/provisioning/datasources/prometheus.yaml"))
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    providers = load(mounted("grafana", "/etc/grafana/provisioning/dashboards/poolwarden.yaml"))
    folder = mounted("grafana", providers["providers"][0]["options"]["path"])
    assert len(list(folder.glob("*.json"))) == 4
    environment = load(COMPOSE)["services"]["grafana"]["environment"]
    assert mounted("grafana", environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).exists()


@pytest.mark.parametrize("path", [COMPOSE, STACK], ids=named)
def test_images_are_pinned(path):
    for name, service in load(path)["services"].items():
        if service["image"] != "poolwarden":
            assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", service["image"]), name


# systemd


def test_unit_is_right(program, tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/poolwarden", program))
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True,
                            text=True, env={**os.environ, "SYSTEMD_COLORS": "0"})
    complaints = [line for line in result.stderr.splitlines() if unit.name in line]
    assert result.returncode == 0 and not complaints, result.stderr


def test_commands_of_the_unit_are_understood(program, tmp_path):
    settings = unit_settings()
    (start,), (again,) = settings["Service", "ExecStart"], settings["Service", "ExecReload"]
    assert start.split()[0] == again.split()[0] == "/usr/local/bin/poolwarden"
    missing = str(tmp_path / "missing")
    started = subprocess.run([program, *start.split()[1:-1], missing], capture_output=True, text=True)
    assert started.returncode == 2 and missing in started.stderr
    assert "2" in settings["Service", "RestartPreventExitStatus"]
    reloaded = subprocess.run([program, *again.split()[1:], "--control", missing],
                              capture_output=True, text=True)
    assert reloaded.returncode == 4, reloaded.stderr  # understood, and nobody there
    limit = re.search(r"--timeout (\S+)", again).group(1)
    assert seconds(limit) < seconds(settings["Service", "TimeoutStartSec"][0])
